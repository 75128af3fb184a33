import { once } from "node:events";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { ToolCall } from "../language-model.ts";
import { createAnthropicWire } from "./anthropic-wire.ts";
import { createCohereWire } from "./cohere-wire.ts";
import { createOpenAiWire } from "./openai-wire.ts";
import type { Wire, WireFinish, WireUsage } from "./wire.ts";

/**
 * For tests: a real HTTP server that answers as told, in the wire format of the path that was asked: OpenAI's chat
 * completions, Anthropic's messages or Cohere's chat, all streamed.
 */
export interface ScriptedModelServer {
  /** Of OpenAI's and Anthropic's protocol. */
  readonly baseUrl: string;
  readonly cohereBaseUrl: string;
  /** Requests that came in, oldest first. */
  readonly requests: readonly ModelServerRequest[];
  /** What the next requests are answered with. */
  script: (exchange: Exchange) => Promise<void>;
  close(): Promise<void>;
}

export interface ModelServerRequest {
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  readonly body: ModelRequestBody;
}

/** What the protocols share, and what OpenAI's has beside it. */
export interface ModelRequestBody {
  readonly model: string;
  readonly stream: boolean;
  readonly max_tokens?: number;
  readonly temperature?: number;
  readonly stop?: readonly string[];
  readonly top_k?: number;
  readonly messages: readonly {
    readonly role: string;
    readonly content: string;
    readonly tool_call_id?: string;
    readonly tool_calls?: readonly {
      readonly id: string;
      readonly function: { readonly name: string; readonly arguments: string };
    }[];
  }[];
  readonly tools?: readonly {
    readonly type: string;
    readonly function: { readonly name: string; readonly description: string; readonly parameters: object };
  }[];
}

/** One request and the ways to answer it. */
export interface Exchange {
  readonly request: ModelServerRequest;
  /** Fires when the caller ends the connection. */
  readonly left: AbortSignal;
  /** Bytes that the socket took so far. */
  readonly bytesWritten: number;
  /** Streams a piece of text; resolves once the socket takes more, so a slow reader holds it up. */
  text(piece: string): Promise<void>;
  thought(piece: string): Promise<void>;
  /** A whole call, its arguments in pieces. */
  toolCall(call: ToolCall): Promise<void>;
  finish(reason?: WireFinish, usage?: WireUsage): Promise<void>;
  /** Anything at all, after the headers of an event stream. */
  raw(bytes: string | Uint8Array): Promise<void>;
  fail(status: number, headers?: Record<string, string>, body?: string): void;
  /** Ends the stream as if all were said. */
  end(): void;
  /** Cuts the connection. */
  destroy(): void;
}

export async function startScriptedModelServer(): Promise<ScriptedModelServer> {
  const requests: ModelServerRequest[] = [];
  const state = {
    requests,
    script: async (exchange: Exchange) => {
      await exchange.text("Nothing was scripted.");
      await exchange.finish();
    },
  };
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString("utf8"));
      const request = { headers: incoming.headers, path: incoming.url ?? "", body };
      requests.push(request);
      state
        .script(createExchange(request, response))
        .catch((thrown: unknown) => response.destroy(thrown as Error));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    cohereBaseUrl: `http://127.0.0.1:${port}/v2`,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  });
}

function createExchange(request: ModelServerRequest, response: ServerResponse): Exchange {
  const leaving = new AbortController();
  response.once("close", () => leaving.abort());
  let bytesWritten = 0;
  const raw = async (bytes: string | Uint8Array) => {
    if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream" });
    if (leaving.signal.aborted) return;
    if (!response.write(bytes)) {
      await Promise.race([once(response, "drain"), once(leaving.signal, "abort")]);
    }
    bytesWritten += Buffer.byteLength(bytes);
  };
  const wire = wireOf(request);
  return {
    request,
    left: leaving.signal,
    get bytesWritten() {
      return bytesWritten;
    },
    text: (piece) => raw(wire.text(piece)),
    thought: (piece) => raw(wire.thought(piece)),
    toolCall: (call) => raw(wire.toolCall(call)),
    async finish(reason = "stop", usage) {
      await raw(wire.finish(reason, usage));
      response.end();
    },
    raw,
    fail(status, headers = {}, body = '{"error":{"message":"no"}}') {
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(body);
    },
    end: () => response.end(),
    destroy: () => response.destroy(),
  };
}

function wireOf({ path, body }: ModelServerRequest): Wire {
  if (path.endsWith("/messages")) return createAnthropicWire(body.model);
  if (path.endsWith("/v2/chat")) return createCohereWire();
  return createOpenAiWire(body.model);
}
