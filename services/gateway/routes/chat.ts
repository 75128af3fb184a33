import type { ChatEvent, ChatOptions } from "@headwater/client";
import { invalidArgument } from "@headwater/errors";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { serverDraining } from "../drain.ts";
import type { App, Gateway } from "../gateway.ts";
import { callOptions } from "../request.ts";
import { citationJson } from "../schemas/answer.ts";
import {
  chatEventSchema,
  chatJson,
  chatOptions,
  chatRequestSchema,
  chatResponseSchema,
  decisionRequestSchema,
  startedJson,
  toolCallJson,
  toolResultJson,
  turnEndJson,
} from "../schemas/chat.ts";
import { decisionJson } from "../schemas/memories.ts";
import { doneSchema, idParams } from "../schemas/resource.ts";
import { hitJson } from "../schemas/search.ts";
import type { ServerSentEvent } from "../sse.ts";
import { sendEvents, wantsEvents } from "../sse.ts";
import { wholeTurn } from "../whole-turn.ts";

/** A call to generation that is cut off is made again so often; beyond that the client resumes by itself. */
export const reconnects = 2;

const tags = ["chat"];
const described = {
  tags,
  response: {
    200: chatResponseSchema,
    204: z.null().describe("Resumed after the last event: nothing is left"),
  },
  produces: { "text/event-stream": { description: "Events of a turn", schema: chatEventSchema } },
};
const resuming =
  "Each event has an id, `turn:sequence`; with the last one read in the header Last-Event-ID the stream goes on " +
  "after it, and no model is asked again. `error` (Error) ends a stream that is to be resumed or failed.";

export function chatRoutes(app: App, gateway: Gateway): void {
  const { client, config } = gateway;

  app.post(
    "/api/v1/chat",
    {
      schema: {
        ...described,
        summary: "One turn of a conversation, by default of a new one",
        description: `JSON: the whole turn. With Accept: text/event-stream what happens as it happens. ${resuming}`,
        body: chatRequestSchema,
      },
    },
    (request, reply) => {
      const from = lastEventId(request);
      if (from) return resume(gateway, request, reply, from);
      const options = { ...turnCall(gateway, request), ...chatOptions(request.body) };
      return begin(gateway, request, reply, request.body.message, options);
    },
  );
  app.get(
    "/api/v1/chat",
    {
      schema: {
        ...described,
        summary: "Goes on with the turn that the header Last-Event-ID names",
        description: resuming,
      },
    },
    (request, reply) => {
      const from = lastEventId(request);
      if (!from)
        throw invalidArgument(
          "HW_LAST_EVENT_ID_MISSING",
          "A GET goes on with a turn, and none was named.",
          "Send Last-Event-ID, GET /api/v1/chat/turns/{id}, or POST a message.",
        );
      return resume(gateway, request, reply, from);
    },
  );
  app.get(
    "/api/v1/chat/turns/:id",
    {
      schema: {
        ...described,
        summary: "A turn from its start, or after an event; waits for its end",
        description: `JSON: the whole turn. With Accept: text/event-stream its events. ${resuming}`,
        params: idParams,
        querystring: z.strictObject({
          after: z.coerce.number<string>().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
        }),
      },
    },
    (request, reply) => {
      const turnId = request.params.id;
      const from = lastEventId(request);
      const after = from?.turnId === turnId ? from.after : (request.query.after ?? 0);
      return resume(gateway, request, reply, { turnId, after });
    },
  );
  app.post(
    "/api/v1/chat/turns/:id/cancel",
    {
      schema: {
        tags,
        summary: "Ends a turn; twice is harmless",
        params: idParams,
        response: { 200: doneSchema },
      },
    },
    async (request) => {
      await client.turns.cancel(request.params.id, callOptions(request, config.timeoutMs));
      return { id: request.params.id };
    },
  );
  app.post(
    "/api/v1/chat/turns/:id/tool-calls/:call",
    {
      schema: {
        tags,
        summary: "Approves or refuses a tool call that waits for it",
        params: z.strictObject({ ...idParams.shape, call: z.string().min(1).max(256) }),
        body: decisionRequestSchema,
        response: { 200: doneSchema },
      },
    },
    async (request) => {
      const { id, call } = request.params;
      const options = callOptions(request, config.timeoutMs);
      await client.turns.decide(id, call, request.body.approved, options);
      return { id: call };
    },
  );
}

interface Place {
  readonly turnId: string;
  readonly after: number;
}

/** @throws HeadwaterError INVALID_ARGUMENT for one that this gateway has not sent */
function lastEventId(request: FastifyRequest): Place | undefined {
  const given = request.headers["last-event-id"];
  if (given === undefined || given === "") return undefined;
  const [, turnId, after] = /^([^:]{1,128}):(\d{1,15})$/.exec(String(given)) ?? [];
  if (turnId === undefined || after === undefined)
    throw invalidArgument(
      "HW_LAST_EVENT_ID_INVALID",
      "The header Last-Event-ID holds no id of an event of a turn.",
      "Send the id as it came, or leave it out.",
    );
  return { turnId, after: Number(after) };
}

/** A turn goes on without its readers, and another gateway can take it up: so reading stops when this one drains. */
function turnCall({ drain }: Gateway, request: FastifyRequest) {
  const options = callOptions(request);
  return { ...options, signal: AbortSignal.any([options.signal, drain.signal]), reconnects };
}

async function begin(
  gateway: Gateway,
  request: FastifyRequest,
  reply: FastifyReply,
  message: string,
  options: ChatOptions,
): Promise<FastifyReply> {
  const { client, config, observe } = gateway;
  // A stateless turn ends with its reader: it may use the grace that the gateway has.
  const call = options.stateless ? { ...options, signal: request.leaving } : options;
  const events = client.chat(message, call);
  if (wantsEvents(request)) {
    const named = turnEvents(gateway, observe("sse", events), !options.stateless);
    return sendEvents(request, reply, named, config.heartbeatMs);
  }
  return reply.send(await wholeJson(untilDrained(gateway, observe("http", events))));
}

async function resume(
  gateway: Gateway,
  request: FastifyRequest,
  reply: FastifyReply,
  { turnId, after }: Place,
): Promise<FastifyReply> {
  const events = gateway.client.turns.resume(turnId, { ...turnCall(gateway, request), after });
  if (!wantsEvents(request) && after === 0) return reply.send(await wholeJson(untilDrained(gateway, events)));
  // An EventSource connects again after every end; only 204 tells it that there is nothing more.
  const named = turnEvents(gateway, events, true, turnId);
  return sendEvents(request, reply, named, gateway.config.heartbeatMs, { emptyStatus: 204 });
}

/** @param turnId of a turn that is resumed: its first event, which tells it, was read before */
async function* turnEvents(
  gateway: Gateway,
  events: AsyncIterable<ChatEvent>,
  resumable: boolean,
  turnId = "",
): AsyncGenerator<ServerSentEvent> {
  let turn = turnId;
  for await (const event of untilDrained(gateway, events)) {
    if (event.type === "started") turn = event.turnId;
    const id = resumable ? { id: `${turn}:${event.sequence}` } : {};
    yield { ...id, event: event.type, data: chatJson(event) };
  }
}

async function* untilDrained<T>({ drain }: Gateway, events: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* events;
  } catch (thrown) {
    throw drain.signal.aborted ? serverDraining() : thrown;
  }
}

async function wholeJson(events: AsyncIterable<ChatEvent>): Promise<z.output<typeof chatResponseSchema>> {
  const turn = await wholeTurn(events);
  return {
    ...startedJson(turn.started),
    answer: turn.text,
    citations: turn.citations.map(citationJson),
    hits: turn.hits.map(hitJson),
    tool_steps: turn.steps.map(({ call, result }) => ({
      call: toolCallJson(call),
      result: result && toolResultJson(result),
    })),
    remembered: turn.remembered.map(decisionJson),
    ...turnEndJson(turn.end),
  };
}
