import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { malformed, QdrantFault } from "./qdrant-fault.ts";
import { QdrantJournal } from "./qdrant-journal.ts";
import type { Call, CollectionStatus } from "./qdrant-service.ts";
import { QdrantService } from "./qdrant-service.ts";

export interface QdrantDoubleOptions {
  /** 0, the default, lets the system choose; a stop and a start after it keep the port. */
  readonly port?: number;
  /** Requests without it are refused with 401, as the server does. */
  readonly apiKey?: string;
  /** File for what is written, so that it is there again after a `kill -9`. */
  readonly journal?: string;
  /** As long as a write that nobody waits for is not applied yet. Default: 50. */
  readonly queueMs?: number;
  /** Told of each request before it is answered. */
  readonly onRequest?: (call: Call) => void;
}

/** The server's own limit for a request, in bytes. */
const maxBodyBytes = 32 * 1024 * 1024;
/** What answers without a key, as text. */
const probes = new Set(["/healthz", "/livez", "/readyz"]);

/**
 * A server that answers as Qdrant 1.18 does, for the part of its HTTP API that Headwater uses, and more strictly where
 * the server is lenient: unknown fields and filters on fields without an index are refused. Searches are exact.
 */
export async function startQdrantDouble(options: QdrantDoubleOptions = {}): Promise<QdrantDouble> {
  const double = new QdrantDouble(options);
  await double.start();
  return double;
}

export class QdrantDouble {
  readonly #options: QdrantDoubleOptions;
  readonly #service: QdrantService;
  readonly #journal: QdrantJournal | undefined;
  readonly #faults: { readonly status: number; readonly headers: Readonly<Record<string, string>> }[] = [];
  #server: Server | undefined;
  #port: number;
  #frozen: PromiseWithResolvers<void> | undefined;
  readonly #held = new Set<ServerResponse>();

  constructor(options: QdrantDoubleOptions) {
    this.#options = options;
    this.#service = new QdrantService(options.queueMs ?? 50);
    this.#port = options.port ?? 0;
    this.#journal = options.journal === undefined ? undefined : new QdrantJournal(options.journal);
    for (const call of this.#journal?.read() ?? []) this.#service.call(call);
    this.#service.flush();
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens, with all data that was there before. */
  async start(): Promise<void> {
    const server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** As a server that died: connections break, and new ones are refused. */
  async stop(): Promise<void> {
    this.#service.flush();
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    this.thaw();
    await closed;
  }

  /** Requests that came while it was frozen and whose clients still wait. */
  get held(): number {
    return this.#held.size;
  }

  /** Takes connections and requests and answers none, until `thaw`. */
  freeze(): void {
    this.#frozen ??= Promise.withResolvers();
  }

  /** Answers, also what came while it was frozen. */
  thaw(): void {
    this.#frozen?.resolve();
    this.#frozen = undefined;
  }

  /** Refuses the next `count` requests with an HTTP status, whatever they ask. */
  failNext(count: number, status: number, headers: Readonly<Record<string, string>> = {}): void {
    for (let at = 0; at < count; at += 1) this.#faults.push({ status, headers });
  }

  /** What the double says of its collections from now on; its optimizer never has anything to do. */
  reportStatus(status: CollectionStatus): void {
    this.#service.status = status;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    await this.#hold(response);
    if (response.destroyed) return;
    const started = performance.now();
    const url = new URL(request.url ?? "/", this.url);
    const fault = this.#faults.shift();
    if (!fault && probes.has(url.pathname)) {
      response.writeHead(200, { "content-type": "text/plain" }).end("all shards are ready");
      return;
    }
    const send = (status: number, content: object, headers: Readonly<Record<string, string>> = {}) => {
      const time = (performance.now() - started) / 1000;
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(JSON.stringify({ ...content, time }));
    };
    try {
      if (fault) throw new QdrantFault(fault.status, "Service internal error: told to fail");
      if (url.pathname === "/")
        return send(200, { title: "qdrant - vector search engine", version: "1.18.0" });
      this.#checkKey(request);
      const call = readCall(request.method ?? "", url, body);
      this.#options.onRequest?.(call);
      const { result, writes } = this.#service.call(call);
      if (writes) this.#journal?.append(call);
      send(200, { result, status: "ok" });
    } catch (error) {
      if (!(error instanceof QdrantFault)) throw error;
      send(error.status, { status: { error: error.message } }, fault?.headers);
    }
  }

  async #hold(response: ServerResponse): Promise<void> {
    if (!this.#frozen) return;
    this.#held.add(response);
    response.once("close", () => this.#held.delete(response));
    await this.#frozen.promise;
    this.#held.delete(response);
  }

  #checkKey({ headers }: IncomingMessage): void {
    const { apiKey } = this.#options;
    if (apiKey === undefined || headers["api-key"] === apiKey) return;
    throw new QdrantFault(401, "Must provide an API key or an Authorization bearer token");
  }
}

/** @throws QdrantFault */
function readCall(method: string, url: URL, body: Buffer): Call {
  if (body.length > maxBodyBytes)
    throw new QdrantFault(
      413,
      `JSON payload (${body.length} bytes) is larger than allowed (limit: ${maxBodyBytes} bytes).`,
    );
  const path = url.pathname.slice(1).split("/").map(decodeURIComponent);
  return { method, path, query: new Map(url.searchParams), body: parse(body.toString()) };
}

/** The server's strings are UTF-8, which has no place for half a surrogate pair. */
function parse(json: string): unknown {
  if (json === "") return undefined;
  const refuseLoneSurrogate = (key: string, value: unknown) => {
    if (!key.isWellFormed() || (typeof value === "string" && !value.isWellFormed()))
      throw malformed("lone leading surrogate in hex escape");
    return value;
  };
  try {
    return /\\ud[89a-f]/i.test(json) ? JSON.parse(json, refuseLoneSurrogate) : JSON.parse(json);
  } catch (error) {
    throw error instanceof QdrantFault ? error : malformed(String(error));
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces);
}
