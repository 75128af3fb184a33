import { once } from "node:events";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** For tests: a real HTTP server that speaks the wire format of OpenAI's streamed chat completions as told. */
export interface ScriptedModelServer {
  /** For `createOpenAiCompatibleModel`. */
  readonly baseUrl: string;
  /** Requests that came in, oldest first. */
  readonly requests: readonly ModelServerRequest[];
  /** What the next requests are answered with. */
  script: (exchange: Exchange) => Promise<void>;
  close(): Promise<void>;
}

export interface ModelServerRequest {
  readonly headers: IncomingHttpHeaders;
  readonly body: {
    readonly model: string;
    readonly stream: boolean;
    readonly max_tokens?: number;
    readonly temperature?: number;
    readonly messages: readonly { readonly role: string; readonly content: string }[];
  };
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
  finish(reason?: string, usage?: { prompt_tokens: number; completion_tokens: number }): Promise<void>;
  /** Anything at all, after the headers of an event stream. */
  raw(bytes: string): Promise<void>;
  fail(status: number, headers?: Record<string, string>, body?: string): void;
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
      const request = { headers: incoming.headers, body };
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
  const raw = async (bytes: string) => {
    if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream" });
    if (leaving.signal.aborted) return;
    if (!response.write(bytes)) {
      await Promise.race([once(response, "drain"), once(leaving.signal, "abort")]);
    }
    bytesWritten += Buffer.byteLength(bytes);
  };
  const chunk = (choice: object, more: object = {}) =>
    raw(
      `data: ${JSON.stringify({
        id: "chatcmpl-1",
        object: "chat.completion.chunk",
        created: 1_800_000_000,
        model: request.body.model,
        choices: [{ index: 0, finish_reason: null, ...choice }],
        ...more,
      })}\n\n`,
    );
  return {
    request,
    left: leaving.signal,
    get bytesWritten() {
      return bytesWritten;
    },
    text: (piece) => chunk({ delta: { content: piece } }),
    async finish(reason = "stop", usage) {
      await chunk({ delta: {}, finish_reason: reason }, usage ? { usage } : {});
      await raw("data: [DONE]\n\n");
      response.end();
    },
    raw,
    fail(status, headers = {}, body = '{"error":{"message":"no"}}') {
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(body);
    },
    destroy: () => response.destroy(),
  };
}
