import type { ChatEvent } from "@headwater/client";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import type { RawData, WebSocket } from "ws";
import { serverDraining } from "./drain.ts";
import type { Gateway } from "./gateway.ts";
import { errorBody, inputInvalid, toHeadwaterError } from "./http-error.ts";
import { parseJson } from "./json-lines.ts";
import { refusedError } from "./push-body.ts";
import { answerJson } from "./routes/answer.ts";
import { reconnects } from "./routes/chat.ts";
import { hitsJson } from "./routes/search.ts";
import { answerOptions } from "./schemas/answer.ts";
import { chatJson, chatOptions } from "./schemas/chat.ts";
import { documentJson } from "./schemas/documents.ts";
import { readNewDocument } from "./schemas/new-document.ts";
import { searchOptions, summaryJson } from "./schemas/search.ts";
import type { WebSocketReply, WebSocketRequest } from "./schemas/websocket.ts";
import { webSocketRequestSchema } from "./schemas/websocket.ts";

/** Requests under way on one connection; more are refused, so that one client cannot take all places. */
const maxRequests = 32;

/** Close code of RFC 6455, 7.4.1. */
const goingAway = 1001;

interface Caller {
  readonly tenant: string;
  readonly owner: string;
  readonly requestId: string;
}

/** One WebSocket: requests side by side, each with an id, each cancelled by `cancel` or when the client leaves. */
export class WebSocketSession {
  readonly #socket: WebSocket;
  readonly #gateway: Gateway;
  readonly #caller: Caller;
  readonly #running = new Map<string, AbortController>();

  constructor(socket: WebSocket, gateway: Gateway, caller: Caller) {
    this.#socket = socket;
    this.#gateway = gateway;
    this.#caller = caller;
    const { drain, config } = gateway;
    const stopHeartbeat = keepAlive(socket, config.heartbeatMs);
    const closing = () => void this.#drain();
    drain.signal.addEventListener("abort", closing, { once: true });
    socket.on("message", (data, isBinary) => void this.#receive(data, isBinary));
    // A broken frame closes the socket with the right code by itself; there is nobody to tell more.
    socket.on("error", () => {});
    socket.on("close", () => {
      stopHeartbeat();
      drain.signal.removeEventListener("abort", closing);
      for (const running of this.#running.values()) running.abort();
    });
    if (drain.signal.aborted) closing();
  }

  async #receive(data: RawData, isBinary: boolean): Promise<void> {
    let id = "";
    try {
      if (isBinary)
        throw invalidArgument("HW_FRAME_INVALID", "Binary frames are not taken.", "Send JSON text.");
      const value = parseJson(data.toString());
      id = idOf(value);
      const parsed = webSocketRequestSchema.safeParse(value);
      if (!parsed.success) throw inputInvalid(parsed.error);
      if (parsed.data.type === "cancel") this.#running.get(id)?.abort();
      else await this.#run(parsed.data);
    } catch (thrown) {
      await this.#fail(id, thrown);
    }
  }

  async #run(request: Exclude<WebSocketRequest, { type: "cancel" }>): Promise<void> {
    const { id } = request;
    if (this.#running.has(id))
      throw invalidArgument("HW_ID_IN_USE", "A request with this id is under way.", "Choose another id.");
    if (this.#running.size >= maxRequests) throw tooManyRequests();
    const cancel = new AbortController();
    const release = this.#gateway.admission.enter();
    this.#running.set(id, cancel);
    try {
      for await (const reply of this.#replies(request, cancel.signal)) await this.#send({ id, ...reply });
      await this.#send({ id, type: "done" });
    } catch (thrown) {
      const drained = this.#gateway.drain.signal.aborted && cancel.signal.aborted;
      await this.#fail(id, drained ? serverDraining() : thrown);
    } finally {
      this.#running.delete(id);
      release();
    }
  }

  async *#replies(
    request: Exclude<WebSocketRequest, { type: "cancel" }>,
    signal: AbortSignal,
  ): AsyncGenerator<{ type: string; data: object }> {
    const { client, observe, config } = this.#gateway;
    const { tenant, owner } = this.#caller;
    const options = { tenant, owner, signal };
    switch (request.type) {
      case "search": {
        const search = { ...options, timeoutMs: config.timeoutMs, ...searchOptions(request.request) };
        for await (const event of observe("websocket", client.search(request.request.query, search)))
          yield { type: event.type, data: event.type === "hits" ? hitsJson(event) : summaryJson(event) };
        return;
      }
      case "answer": {
        const answer = { ...options, ...answerOptions(request.request) };
        for await (const event of observe("websocket", client.answer(request.request.question, answer)))
          yield { type: event.type, data: answerJson(event) };
        return;
      }
      case "chat": {
        const chat = { ...options, reconnects, ...chatOptions(request.request) };
        yield* turnReplies(observe("websocket", client.chat(request.request.message, chat)));
        return;
      }
      case "resume": {
        const { turn_id, after = 0 } = request.request;
        yield* turnReplies(client.turns.resume(turn_id, { ...options, reconnects, after }));
        return;
      }
      case "decide": {
        const { turn_id, call_id, approved } = request.request;
        await client.turns.decide(turn_id, call_id, approved, { ...options, timeoutMs: config.timeoutMs });
        return;
      }
      case "cancel_turn":
        await client.turns.cancel(request.request.turn_id, { ...options, timeoutMs: config.timeoutMs });
        return;
      case "watch": {
        const { ids = [], until_settled = false, changes_only = false } = request.request;
        const watch = { ...options, ids, untilSettled: until_settled, changesOnly: changes_only };
        for await (const document of client.documents.watch(watch))
          yield { type: "document", data: documentJson(document) };
        return;
      }
      case "push": {
        const document = readNewDocument(request.request);
        for await (const { error, ...receipt } of client.documents.push([document], options)) {
          if (error) throw refusedError(error);
          yield { type: "receipt", data: { index: 0, ...receipt } };
        }
      }
    }
  }

  /** Resolves once the network has taken the message, so that a slow reader slows the source of what it reads. */
  #send(reply: WebSocketReply): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.readyState !== this.#socket.OPEN) return resolve();
      this.#socket.send(JSON.stringify(reply), () => resolve());
    });
  }

  #fail(id: string, thrown: unknown): Promise<void> {
    const error = toHeadwaterError(thrown);
    if (error.code === status.INTERNAL)
      this.#gateway.telemetry.log.error({ err: error }, "websocket request failed");
    return this.#send({ id, type: "error", data: errorBody(error, this.#caller.requestId).error });
  }

  async #drain(): Promise<void> {
    await this.#send({ id: "", type: "closing", data: { reason: "server draining" } });
    for (const running of this.#running.values()) running.abort();
    this.#socket.close(goingAway, "server draining");
  }
}

async function* turnReplies(
  events: AsyncIterable<ChatEvent>,
): AsyncGenerator<{ type: string; data: object }> {
  for await (const event of events) yield { type: event.type, data: chatJson(event) };
}

/** Pings; a peer that does not answer until the next ping is gone. */
function keepAlive(socket: WebSocket, intervalMs: number): () => void {
  let alive = true;
  socket.on("pong", () => {
    alive = true;
  });
  const timer = setInterval(() => {
    if (!alive) return socket.terminate();
    alive = false;
    socket.ping();
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

function idOf(value: unknown): string {
  if (typeof value !== "object" || value === null || !("id" in value)) return "";
  return typeof value.id === "string" ? value.id.slice(0, 128) : "";
}

function tooManyRequests(): HeadwaterError {
  return new HeadwaterError({
    code: status.RESOURCE_EXHAUSTED,
    reason: "HW_OVERLOADED",
    message: `A connection may have ${maxRequests} requests under way.`,
    action: "Wait for one to end, or open another connection.",
    retryAfterMs: 1000,
  });
}
