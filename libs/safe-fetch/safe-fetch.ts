import type { Headers, Response } from "undici";
import { Agent, fetch } from "undici";
import { AddressGuard } from "./address-guard.ts";
import { fetchTimeout, fromFetch, responseTooLarge, tooManyRedirects } from "./fetch-errors.ts";
import type { Resolve } from "./guarded-connector.ts";
import { guardedConnector, systemResolve } from "./guarded-connector.ts";
import { checkUrl, parseUrl } from "./url-rules.ts";

const mebibyte = 1024 * 1024;
const defaults = { maxBytes: 10 * mebibyte, timeoutMs: 30_000, maxRedirects: 5 };
const connectTimeoutMs = 10_000;
/** What may be sent on to another origin: any other header may hold credentials that are meant for the first alone. */
const harmlessHeaders = ["accept", "accept-language", "content-type"];
const redirects = new Set([301, 302, 303, 307, 308]);

export interface SafeFetchOptions {
  /** Tells servers who asks. */
  readonly userAgent: string;
  /** Only these hosts, "api.example.org" or "*.example.org"; undefined: all. */
  readonly allowHosts?: readonly string[] | undefined;
  /** Beyond public addresses: addresses, networks ("10.1.0.0/16"), or names of hosts. Default: none. */
  readonly allowPrivate?: readonly string[] | undefined;
  /** Of an answer, unpacked. Default 10 MiB; a larger one is cut off and fails. */
  readonly maxBytes?: number | undefined;
  /** For the answer to one request in full, redirects included. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** Default 5; 0: an answer that redirects is given as it is. */
  readonly maxRedirects?: number | undefined;
  /** In place of the system's. */
  readonly resolve?: Resolve | undefined;
}

export interface SafeRequest {
  readonly url: string;
  /** Default GET. */
  readonly method?: string | undefined;
  /** Where a redirect leads to another origin they are left out, but for what is wanted (`accept`). */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly maxBytes?: number | undefined;
  readonly timeoutMs?: number | undefined;
  /**
   * Called before each request, the first one and those that redirects lead to: throws to refuse it, or gives headers
   * for it alone. The time that it takes does not count.
   */
  readonly onHop?: ((url: URL) => Promise<Record<string, string> | undefined>) | undefined;
}

export interface FetchedResponse {
  /** That answered, after redirects. */
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** HTTP to where somebody else said: a page, a model, a tool. Every hop is checked, and every limit holds. */
export interface SafeFetch {
  /**
   * Any HTTP status is an answer.
   *
   * @throws HeadwaterError INVALID_ARGUMENT (the address), PERMISSION_DENIED (host or address), NOT_FOUND (no such
   * host), FAILED_PRECONDITION (too large, too many redirects), DEADLINE_EXCEEDED, UNAVAILABLE
   * @throws AbortError when the caller's signal fires
   */
  fetch(request: SafeRequest): Promise<FetchedResponse>;
  close(): Promise<void>;
}

/** @throws HeadwaterError INVALID_ARGUMENT where `allowPrivate` names what is no address, network or host */
export function createSafeFetch(options: SafeFetchOptions): SafeFetch {
  const guard = new AddressGuard(options.allowPrivate ?? []);
  const connect = guardedConnector(guard, options.resolve ?? systemResolve, connectTimeoutMs);
  return new GuardedFetch(options, new Agent({ connect }));
}

class GuardedFetch implements SafeFetch {
  readonly #options: SafeFetchOptions;
  readonly #agent: Agent;

  constructor(options: SafeFetchOptions, agent: Agent) {
    this.#options = options;
    this.#agent = agent;
  }

  async fetch(request: SafeRequest): Promise<FetchedResponse> {
    const { maxRedirects = defaults.maxRedirects } = this.#options;
    const clock = { leftMs: request.timeoutMs ?? this.#options.timeoutMs ?? defaults.timeoutMs };
    let hop: Hop = {
      url: parseUrl(request.url),
      method: request.method ?? "GET",
      headers: lowerCase(request.headers ?? {}),
      body: request.body,
    };
    for (let redirected = 0; ; redirected += 1) {
      request.signal?.throwIfAborted();
      checkUrl(hop.url, this.#options.allowHosts);
      const extra = await request.onHop?.(hop.url);
      const answer = await this.#exchange(hop, extra ?? {}, request, clock);
      const location = answer.headers.get("location");
      if (!redirects.has(answer.status) || location === null || maxRedirects === 0) return answer;
      if (redirected === maxRedirects) throw tooManyRedirects(maxRedirects);
      hop = nextHop(hop, answer.status, parseUrl(location, hop.url));
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #exchange(
    { url, method, headers, body }: Hop,
    extra: Record<string, string>,
    request: SafeRequest,
    clock: { leftMs: number },
  ): Promise<FetchedResponse> {
    const { signal, maxBytes = this.#options.maxBytes ?? defaults.maxBytes } = request;
    const allowedMs = clock.leftMs;
    const began = performance.now();
    const late = AbortSignal.timeout(Math.max(1, Math.ceil(allowedMs)));
    try {
      const response = await fetch(url, {
        ...{ method, dispatcher: this.#agent, redirect: "manual", body: body ?? null },
        headers: { "user-agent": this.#options.userAgent, ...headers, ...lowerCase(extra) },
        signal: signal ? AbortSignal.any([signal, late]) : late,
      });
      const bytes = await readBody(response, maxBytes);
      return { url: url.href, status: response.status, headers: response.headers, body: bytes };
    } catch (thrown) {
      signal?.throwIfAborted();
      throw late.aborted
        ? fetchTimeout(request.timeoutMs ?? this.#options.timeoutMs ?? defaults.timeoutMs)
        : fromFetch(thrown, url.host);
    } finally {
      clock.leftMs = allowedMs - (performance.now() - began);
    }
  }
}

interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
}

/** As browsers do it: 303 asks anew with GET, and so do 301 and 302 after POST. */
function nextHop(hop: Hop, status: number, url: URL): Hop {
  const asGet = status === 303 || ((status === 301 || status === 302) && hop.method === "POST");
  const foreign = url.origin !== hop.url.origin;
  const headers = Object.entries(hop.headers).filter(
    ([name]) => !(foreign && !harmlessHeaders.includes(name)) && !(asGet && name.startsWith("content-")),
  );
  return {
    url,
    method: asGet && hop.method !== "HEAD" ? "GET" : hop.method,
    headers: Object.fromEntries(headers),
    body: asGet ? undefined : hop.body,
  };
}

/** Counted as unpacked: a small answer may unpack to gigabytes. */
async function readBody({ body }: Response, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop early cancels the body and its connection.
  for await (const piece of body ?? []) {
    size += piece.byteLength;
    if (size > maxBytes) throw responseTooLarge(maxBytes);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
