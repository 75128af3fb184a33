import type { ReconcileOptions, ReindexOptions } from "@headwater/client";
import type { App, Gateway } from "../gateway.ts";
import { callOptions } from "../request.ts";
import {
  reconcileEventJson,
  reconcileEventSchema,
  reconcileRequestSchema,
  reindexEventSchema,
  reindexQuery,
  reindexStatusJson,
  reindexStatusSchema,
} from "../schemas/upkeep.ts";
import type { ServerSentEvent } from "../sse.ts";
import { sendEvents } from "../sse.ts";

const tags = ["upkeep"];

/** What an operator asks for now and then. */
export function upkeepRoutes(app: App, gateway: Gateway): void {
  const { client, config } = gateway;

  app.post(
    "/v1/reindex",
    {
      schema: {
        tags,
        summary: "Makes all passages anew from the originals, after a change of model or chunking",
        description:
          "Goes on where an interrupted one was. Events `progress` (ReindexEvent); `error` (Error) ends a stream that failed.",
        querystring: reindexQuery,
        produces: { "text/event-stream": { description: "progress, error", schema: reindexEventSchema } },
      },
    },
    (request, reply) => {
      const { action = "resume" } = request.query;
      const events = reindexEvents(gateway, { ...callOptions(request), action });
      return sendEvents(request, reply, events, config.heartbeatMs);
    },
  );

  app.get(
    "/v1/reindex",
    {
      schema: {
        tags,
        summary: "How the reindex of all tenants stands, and the generations of the indexes",
        response: { 200: reindexStatusSchema },
      },
    },
    async (request) => reindexStatusJson(await client.reindexStatus(callOptions(request, config.timeoutMs))),
  );

  app.post(
    "/v1/reconcile",
    {
      schema: {
        tags,
        summary: "Compares originals, catalog and indexes, and mends what differs",
        description: "Events `progress` (ReconcileEvent); `error` (Error) ends a stream that failed.",
        body: reconcileRequestSchema,
        produces: { "text/event-stream": { description: "progress, error", schema: reconcileEventSchema } },
      },
    },
    (request, reply) => {
      const { repair = false } = request.body;
      const events = reconcileEvents(gateway, { ...callOptions(request), repair });
      return sendEvents(request, reply, events, config.heartbeatMs);
    },
  );
}

async function* reindexEvents({ client }: Gateway, options: ReindexOptions): AsyncGenerator<ServerSentEvent> {
  for await (const progress of client.reindex(options)) yield { event: "progress", data: { ...progress } };
}

async function* reconcileEvents(
  { client }: Gateway,
  options: ReconcileOptions,
): AsyncGenerator<ServerSentEvent> {
  for await (const progress of client.reconcile(options))
    yield { event: "progress", data: reconcileEventJson(progress) };
}
