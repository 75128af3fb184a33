import { HeadwaterError, status } from "@headwater/errors";
import type { FastifyInstance, RouteOptions } from "fastify";
import { sendError } from "./http-error.ts";

/** Tells of an unknown path which paths there are, and of a wrong method which methods the path takes. */
export function answerUnknown(app: FastifyInstance, routes: readonly RouteOptions[]): void {
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?")[0] ?? "";
    const exact = routes.filter(({ url }) => !url.includes("*"));
    const allowed = exact.filter(({ url }) => patternOf(url).test(path)).flatMap(({ method }) => method);
    if (allowed.length === 0) return sendError(request, reply, routeUnknown(exact));
    return sendError(request, reply.header("allow", allowed.join(", ")), methodNotAllowed(allowed));
  });
}

function patternOf(url: string): RegExp {
  const escaped = url.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/:[A-Za-z_]+/g, "[^/]+");
  return new RegExp(`^${escaped}$`);
}

function routeUnknown(routes: readonly RouteOptions[]): HeadwaterError {
  const known = [...new Set(routes.map(({ url }) => url))].filter(
    (url) => !/^\/(headwater|grpc)\./.test(url),
  );
  return new HeadwaterError({
    code: status.NOT_FOUND,
    reason: "HW_ROUTE_UNKNOWN",
    message: "There is no such path.",
    action: `Paths are ${known.sort().join(", ")}; see /openapi.json.`,
  });
}

function methodNotAllowed(allowed: readonly string[]): HeadwaterError {
  return new HeadwaterError({
    code: status.UNIMPLEMENTED,
    reason: "HW_METHOD_NOT_ALLOWED",
    message: "The path does not take this method.",
    action: `Use ${allowed.join(" or ")}.`,
  });
}
