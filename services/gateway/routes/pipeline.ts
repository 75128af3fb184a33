import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { serverDraining } from "../drain.ts";
import type { App, Gateway } from "../gateway.ts";
import { callOptions } from "../request.ts";
import { documentJson, documentSchema } from "../schemas/documents.ts";
import { documentIdSchema } from "../schemas/new-document.ts";
import {
  deadLetterDetailsJson,
  deadLetterDetailsSchema,
  deadLetterJson,
  deadLettersSchema,
  pipelineJson,
  pipelineSchema,
  replayedSchema,
  replayRequestSchema,
} from "../schemas/pipeline.ts";
import type { ServerSentEvent } from "../sse.ts";
import { sendEvents } from "../sse.ts";

const tags = ["pipeline"];

const watchQuery = z.strictObject({
  id: z
    .union([documentIdSchema, z.array(documentIdSchema).max(1024)])
    .optional()
    .describe("May be given more than once. Default: all documents"),
  until_settled: z.stringbool().optional().describe("Ends when each id is indexed, failed or deleted"),
  changes_only: z.stringbool().optional().describe("No snapshot at the start"),
});

export function pipelineRoutes(app: App, gateway: Gateway): void {
  const { client, config } = gateway;

  app.get(
    "/v1/watch",
    {
      schema: {
        tags,
        summary: "Every change of state of documents, their present state first",
        description: "Events `document` (Document); `error` (Error) ends a stream that failed or is drained.",
        querystring: watchQuery,
        produces: { "text/event-stream": { description: "document, error", schema: documentSchema } },
      },
    },
    (request, reply) =>
      sendEvents(request, reply, watchEvents(gateway, request, request.query), config.heartbeatMs),
  );

  app.get(
    "/v1/pipeline",
    { schema: { tags, summary: "Documents by state, lag, dead letters", response: { 200: pipelineSchema } } },
    async (request) => pipelineJson(await client.pipeline(callOptions(request, config.timeoutMs))),
  );

  app.get(
    "/v1/dead-letters",
    {
      schema: {
        tags,
        summary: "Documents that could not be processed, newest first",
        querystring: z.strictObject({
          page_size: z.coerce.number<string>().int().min(1).max(1000).optional().describe("Default 100"),
          page_token: z.string().max(8192).optional(),
        }),
        response: { 200: deadLettersSchema },
      },
    },
    async (request) => {
      const { page_size, page_token } = request.query;
      const { deadLetters, nextPageToken } = await client.deadLetters.list({
        ...callOptions(request, config.timeoutMs),
        ...(page_size === undefined ? {} : { pageSize: page_size }),
        ...(page_token === undefined ? {} : { pageToken: page_token }),
      });
      return { dead_letters: deadLetters.map(deadLetterJson), next_page_token: nextPageToken };
    },
  );

  app.post(
    "/v1/dead-letters/replay",
    {
      schema: {
        tags,
        summary: "Puts dead letters back into the log, to be tried again",
        body: replayRequestSchema,
        response: { 200: replayedSchema },
      },
    },
    async (request) => ({
      replayed: await client.deadLetters.replay(
        request.body.ids ?? [],
        callOptions(request, config.timeoutMs),
      ),
    }),
  );

  app.get(
    "/v1/dead-letters/:id",
    {
      schema: {
        tags,
        summary: "All that is known of one dead letter, but for its content",
        params: z.strictObject({ id: z.string().min(1).max(1024) }),
        response: { 200: deadLetterDetailsSchema },
      },
    },
    async (request) =>
      deadLetterDetailsJson(
        await client.deadLetters.get(request.params.id, callOptions(request, config.timeoutMs)),
      ),
  );
}

async function* watchEvents(
  { client, drain }: Gateway,
  request: FastifyRequest,
  query: z.output<typeof watchQuery>,
): AsyncGenerator<ServerSentEvent> {
  const options = callOptions(request);
  const documents = client.documents.watch({
    ...options,
    signal: AbortSignal.any([options.signal, drain.signal]),
    ids: query.id === undefined ? [] : [query.id].flat(),
    untilSettled: query.until_settled ?? false,
    changesOnly: query.changes_only ?? false,
  });
  try {
    for await (const document of documents) yield { event: "document", data: documentJson(document) };
  } catch (thrown) {
    throw drain.signal.aborted ? serverDraining() : thrown;
  }
}
