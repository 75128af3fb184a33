import type { HeadwaterClient } from "@headwater/client";
import { createHeadwaterMcpServer } from "@headwater/mcp-server";
import { createMcpHandler } from "@modelcontextprotocol/server";
import type { FastifyRequest } from "fastify";
import type { App, Gateway } from "../gateway.ts";
import { callOptions } from "../request.ts";

/**
 * Headwater as an MCP server over streamable HTTP (https://modelcontextprotocol.io, 2026-07-28, and its predecessors without
 * sessions). Each request stands for itself, so that any gateway can answer it. Host, origin, credentials and limits are
 * checked before, as for every route.
 */
export function mcpRoutes(app: App, gateway: Gateway): void {
  const client = observed(gateway);
  app.post(
    "/mcp",
    {
      schema: {
        tags: ["search"],
        summary: "Model Context Protocol: the documents as tools and resources for assistants",
        description:
          "Streamable HTTP of the revision 2026-07-28, and of those of 2025 without sessions. docs/mcp.md tells how assistants are " +
          "connected.",
        consumes: { "application/json": { description: "A JSON-RPC message" } },
        produces: {
          "application/json": { description: "The JSON-RPC response" },
          "text/event-stream": { description: "Progress, then the JSON-RPC response" },
        },
      },
    },
    async (request, reply) => {
      const call = callOptions(request, gateway.config.timeoutMs);
      const handler = createMcpHandler(() => createHeadwaterMcpServer({ client, call }), {
        onerror: (err) => gateway.telemetry.log.debug({ err }, "an MCP request was refused"),
        keepAliveMs: gateway.config.heartbeatMs,
      });
      return reply.send(await handler.fetch(webRequest(request), { parsedBody: request.body ?? undefined }));
    },
  );
}

/** The client, whose searches and answers are counted and timed. */
function observed({ client, observe }: Gateway): HeadwaterClient {
  return {
    ...client,
    search: (query, options) => observe("mcp", client.search(query, options)),
    answer: (question, options) => observe("mcp", client.answer(question, options)),
  };
}

function webRequest(request: FastifyRequest): Request {
  const headers = Object.entries(request.headers).flatMap(([name, value]) =>
    // HTTP/2's own fields are no headers of a web request.
    value === undefined || name.startsWith(":")
      ? []
      : [[name, [value].flat().join(", ")] as [string, string]],
  );
  return new Request(new URL(request.url, `http://${request.host || "localhost"}`), {
    method: request.method,
    headers,
    signal: request.leaving,
  });
}
