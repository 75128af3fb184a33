import type { HitsEvent, SearchSummary } from "@headwater/client";
import { SearchService } from "@headwater/proto/connect/headwater/v1/search";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { App, Gateway } from "../gateway.ts";
import { callOptions } from "../request.ts";
import {
  hitJson,
  hitsEventSchema,
  searchOptions,
  searchRequestSchema,
  searchResponseSchema,
  summaryJson,
} from "../schemas/search.ts";
import type { ServerSentEvent } from "../sse.ts";
import { sendEvents, wantsEvents } from "../sse.ts";

export function searchRoutes(app: App, gateway: Gateway): void {
  const schema = {
    tags: ["search"],
    description:
      "JSON: the final stage's hits and the summary. With Accept: text/event-stream the stages come as each is " +
      "known, as events `hits` (HitsEvent; a later stage replaces the earlier ones), then `summary` " +
      "(SearchSummary); `error` (Error) ends a stream that failed.",
    body: searchRequestSchema,
    response: { 200: searchResponseSchema },
    produces: { "text/event-stream": { description: "hits, summary, error", schema: hitsEventSchema } },
  };
  const onRequest = async () => gateway.upstream.refuseWhereFull(SearchService.method.search);
  const search = (request: FastifyRequest, reply: FastifyReply, body: Body) =>
    wantsEvents(request)
      ? sendEvents(request, reply, searchEvents(gateway, request, body), gateway.config.heartbeatMs)
      : sendJson(gateway, request, reply, body);
  app.post(
    "/v1/search",
    { schema: { ...schema, summary: "Searches lexically and by vector at once" }, onRequest },
    (request, reply) => search(request, reply, request.body),
  );
  app.post(
    "/api/v1/documents/search",
    { schema: { ...schema, summary: "The same as POST /v1/search" }, onRequest },
    (request, reply) => search(request, reply, request.body),
  );
}

const lastStage = ["reranked"] as const;

type Body = z.output<typeof searchRequestSchema>;

export async function* searchEvents(
  { client, config, observe }: Gateway,
  request: FastifyRequest,
  body: Body,
): AsyncGenerator<ServerSentEvent> {
  const options = { ...callOptions(request, config.timeoutMs), ...searchOptions(body) };
  for await (const event of observe("sse", client.search(body.query, options)))
    yield { event: event.type, data: event.type === "hits" ? hitsJson(event) : summaryJson(event) };
}

async function sendJson(
  { client, config, observe }: Gateway,
  request: FastifyRequest,
  reply: FastifyReply,
  body: Body,
): Promise<FastifyReply> {
  // The last stage comes in any case; of the others nobody would see anything.
  const options = { ...callOptions(request, config.timeoutMs), ...searchOptions(body), stages: lastStage };
  let last: HitsEvent | undefined;
  let summary: SearchSummary | undefined;
  for await (const event of observe("http", client.search(body.query, options))) {
    if (event.type === "hits") last = event;
    else summary = event;
  }
  if (!summary) throw new TypeError("a search ended without a summary");
  return reply.send({
    stage: last?.stage ?? summary.finalStage,
    hits: (last?.hits ?? []).map(hitJson),
    summary: summaryJson(summary),
  });
}

export function hitsJson(event: HitsEvent): z.output<typeof hitsEventSchema> {
  return { stage: event.stage, hits: event.hits.map(hitJson), elapsed_ms: event.elapsedMs };
}
