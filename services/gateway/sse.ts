import { Readable } from "node:stream";
import type { HeadwaterError } from "@headwater/errors";
import type { FastifyReply, FastifyRequest } from "fastify";
import { errorBody, toHeadwaterError } from "./http-error.ts";

/** One server-sent event (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export interface ServerSentEvent {
  /** What the client names in Last-Event-ID to go on after this event. */
  readonly id?: string;
  /** Default: "message", without a name. */
  readonly event?: string;
  /** Sent as JSON; a string is sent as it is, and holds no line break. */
  readonly data: object | string;
}

export interface SendEventsOptions {
  /** Of the response where there is not a single event, and it is known in time. Default 200. */
  readonly emptyStatus?: number;
  /** What a failure becomes. Default: an event `error` with our own error. */
  failed?(error: HeadwaterError, requestId: string): ServerSentEvent;
}

function errorEvent(error: HeadwaterError, requestId: string): ServerSentEvent {
  return { event: "error", data: errorBody(error, requestId) };
}

/**
 * How long the response waits for its first event, in milliseconds: an error that comes sooner still gets an HTTP
 * status of its own; later it becomes an `error` event.
 */
const firstEventWaitMs = 1000;

export function wantsEvents(request: FastifyRequest): boolean {
  return /\btext\/event-stream\b/i.test(request.headers.accept ?? "");
}

/**
 * Streams events as they come. A slow reader slows their source; heartbeats keep proxies from cutting a quiet
 * stream. A failure becomes the last event, named `error`.
 */
export async function sendEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  events: AsyncIterable<ServerSentEvent>,
  heartbeatMs: number,
  { emptyStatus = 200, failed = errorEvent }: SendEventsOptions = {},
): Promise<FastifyReply> {
  const iterator = events[Symbol.asyncIterator]();
  const first = iterator.next();
  const step = await within(first, firstEventWaitMs);
  if (step?.done && emptyStatus !== 200) return reply.code(emptyStatus).send();
  const frames = framesOf(request, iterator, first, heartbeatMs, failed);
  if (step === undefined) frames.push(stillHere);
  return reply
    .header("content-type", "text/event-stream; charset=utf-8")
    .header("cache-control", "no-store")
    .header("x-accel-buffering", "no")
    .send(frames);
}

const stillHere = ": still here\n\n";

/** Asks for the next event once the one before has been taken. */
function framesOf(
  request: FastifyRequest,
  iterator: AsyncIterator<ServerSentEvent>,
  first: Promise<IteratorResult<ServerSentEvent>>,
  heartbeatMs: number,
  failed: NonNullable<SendEventsOptions["failed"]>,
): Readable {
  let next: Promise<IteratorResult<ServerSentEvent>> | undefined = first;
  let waits = false;
  const frames = new Readable({
    objectMode: true,
    highWaterMark: 1,
    read() {
      // Asked again after a heartbeat, which came in place of the event.
      if (waits) return;
      waits = true;
      heartbeat.refresh();
      (next ?? iterator.next()).then(take, fail);
      next = undefined;
    },
    destroy(error, done) {
      clearInterval(heartbeat);
      Promise.resolve(iterator.return?.()).then(() => done(error), done);
    },
  });
  const heartbeat = setInterval(() => {
    if (waits && frames.readableLength === 0) frames.push(stillHere);
  }, heartbeatMs);
  const take = (step: IteratorResult<ServerSentEvent>) => {
    waits = false;
    frames.push(step.done ? null : frame(step.value));
  };
  const fail = (thrown: unknown) => {
    waits = false;
    request.failure = toHeadwaterError(thrown);
    frames.push(frame(failed(request.failure, request.id)));
    frames.push(null);
  };
  return frames;
}

function frame({ id, event, data }: ServerSentEvent): string {
  const idLine = id === undefined ? "" : `id: ${id}\n`;
  const eventLine = event === undefined ? "" : `event: ${event}\n`;
  return `${idLine}${eventLine}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
}

/** The promise's value, or undefined where it takes longer than `ms`. */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
