import type { AnswerEvent } from "@headwater/client";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { App, Gateway } from "../gateway.ts";
import { callOptions } from "../request.ts";
import {
  answerOptions,
  answerRequestSchema,
  answerResponseSchema,
  citationJson,
  endJson,
  textEventSchema,
} from "../schemas/answer.ts";
import { hitJson, querySchema, summaryJson } from "../schemas/search.ts";
import type { ServerSentEvent } from "../sse.ts";
import { sendEvents, wantsEvents } from "../sse.ts";

const tags = ["answers"];
const described = {
  tags,
  description:
    "JSON: the whole answer. With Accept: text/event-stream the answer comes as it is written, as events `passages` " +
    "(PassagesEvent), `text` (TextEvent), `citation` (Citation), `end` (EndEvent); `error` (Error) ends a stream " +
    "that failed.",
  response: { 200: answerResponseSchema },
  produces: {
    "text/event-stream": { description: "passages, text, citation, end, error", schema: textEventSchema },
  },
};

export function answerRoutes(app: App, gateway: Gateway): void {
  app.post(
    "/v1/answer",
    {
      schema: {
        ...described,
        summary: "Answers a question from the documents, with citations",
        body: answerRequestSchema,
      },
    },
    (request, reply) => answer(gateway, request, reply, request.body),
  );
  app.get(
    "/query",
    {
      schema: {
        ...described,
        summary: "Answers a question; the plain form of /v1/answer",
        querystring: z.strictObject({
          q: querySchema.describe("The question"),
          model: z.string().max(256).optional(),
          max_passages: z.coerce.number<string>().int().min(1).max(50).optional(),
        }),
      },
    },
    (request, reply) => {
      const { q: question, ...rest } = request.query;
      return answer(gateway, request, reply, { question, ...rest });
    },
  );
  app.post(
    "/query",
    {
      schema: {
        ...described,
        summary: "Answers a question; the plain form of /v1/answer",
        body: z.strictObject({
          query: querySchema,
          ...answerRequestSchema.omit({ question: true }).shape,
        }),
      },
    },
    (request, reply) => {
      const { query: question, ...rest } = request.body;
      return answer(gateway, request, reply, { question, ...rest });
    },
  );
}

type Body = z.output<typeof answerRequestSchema>;

async function answer(
  gateway: Gateway,
  request: FastifyRequest,
  reply: FastifyReply,
  body: Body,
): Promise<FastifyReply> {
  const { client, config, observe } = gateway;
  const events = client.answer(body.question, { ...callOptions(request), ...answerOptions(body) });
  if (wantsEvents(request))
    return sendEvents(request, reply, named(observe("sse", events)), config.heartbeatMs);
  return reply.send(await wholeAnswer(observe("http", events)));
}

async function* named(events: AsyncIterable<AnswerEvent>): AsyncGenerator<ServerSentEvent> {
  for await (const event of events) yield { event: event.type, data: answerJson(event) };
}

/** One event as JSON; its name travels beside it. */
export function answerJson(event: AnswerEvent): object {
  switch (event.type) {
    case "passages":
      return { hits: event.hits.map(hitJson), summary: summaryJson(event.summary) };
    case "text":
      return { text: event.text };
    case "citation":
      return citationJson(event);
    case "end":
      return endJson(event);
  }
}

async function wholeAnswer(
  events: AsyncIterable<AnswerEvent>,
): Promise<z.output<typeof answerResponseSchema>> {
  let text = "";
  const citations = [];
  let passages: (AnswerEvent & { type: "passages" }) | undefined;
  let end: (AnswerEvent & { type: "end" }) | undefined;
  for await (const event of events) {
    if (event.type === "passages") passages = event;
    else if (event.type === "text") text += event.text;
    else if (event.type === "citation") citations.push(citationJson(event));
    else end = event;
  }
  if (!passages || !end) throw new TypeError("an answer ended without its passages or its end");
  return {
    answer: text,
    citations,
    hits: passages.hits.map(hitJson),
    search: summaryJson(passages.summary),
    ...endJson(end),
  };
}
