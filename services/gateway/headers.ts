import { cors as connectCors } from "@connectrpc/connect";
import cors from "@fastify/cors";
import type { FastifyInstance } from "fastify";
import { ownerHeader, tenantHeader } from "./authentication.ts";
import { requestIdHeader } from "./observation.ts";

/** On every response; the page adds its own Content-Security-Policy. */
export function secureHeaders(app: FastifyInstance): void {
  app.addHook("onRequest", (_request, reply, done) => {
    reply
      .header("x-content-type-options", "nosniff")
      .header("x-frame-options", "DENY")
      .header("referrer-policy", "no-referrer")
      .header("cross-origin-resource-policy", "same-origin")
      .header("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
    done();
  });
}

/** Lets front-ends of other origins call every route and protocol; without origins nothing is allowed. */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  await app.register(cors, {
    origin: [...origins],
    methods: [...connectCors.allowedMethods, "DELETE", "PUT", "PATCH"],
    allowedHeaders: [
      ...connectCors.allowedHeaders,
      "Accept",
      "Authorization",
      requestIdHeader,
      tenantHeader,
      ownerHeader,
      "Last-Event-ID",
      "traceparent",
      "tracestate",
    ],
    exposedHeaders: [...connectCors.exposedHeaders, requestIdHeader, "retry-after"],
    maxAge: 7200,
  });
  app.addHook("onRequest", (request, reply, done) => {
    if (request.headers.origin && origins.includes(request.headers.origin.toLowerCase()))
      reply.header("cross-origin-resource-policy", "cross-origin");
    done();
  });
}
