import type { RouteOptions } from "fastify";
import { z } from "zod";
import type { App } from "../gateway.ts";
import { openApiDocument } from "../openapi.ts";

/** Serves the OpenAPI document, made once of the routes that are there when it is first asked for. */
export function openApiRoutes(app: App, routes: readonly RouteOptions[]): void {
  let document: object | undefined;
  app.get(
    "/openapi.json",
    {
      schema: {
        tags: ["operation"],
        summary: "This document",
        response: { 200: z.record(z.string(), z.unknown()) },
      },
    },
    (_request, reply) => {
      document ??= openApiDocument(routes);
      return reply.send(document as Record<string, unknown>);
    },
  );
}
