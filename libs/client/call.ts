import type { CallOptions as ConnectCallOptions } from "@connectrpc/connect";
import { HeadwaterClientError } from "./error.ts";

/** Options that every call takes. */
export interface CallOptions {
  /** Owner of the documents. Default: the client's. With sign-in on it comes from the key. */
  tenant?: string;
  /** Whose conversations and memories. Default: the client's. With sign-in on it comes from a key that names somebody. */
  owner?: string;
  /** Ends the call; it then throws HW_CANCELLED. */
  signal?: AbortSignal;
  /** Milliseconds until the call is given up. Default: none. */
  timeoutMs?: number;
  /** Sent with the request, such as `x-request-id`. */
  headers?: Readonly<Record<string, string>>;
}

/** Who a call is for. */
export interface Identity {
  tenantOf(options: CallOptions): string;
  /** Tenant and owner, for requests that have both. */
  of(options: CallOptions): { tenant: string; owner: string };
}

/** Which page of a list. */
export interface ListPageOptions extends CallOptions {
  /** 1 to 200. Default 50. */
  pageSize?: number;
  pageToken?: string;
}

export function pageOf(options: ListPageOptions): { pageSize: number; pageToken: string } {
  return { pageSize: options.pageSize ?? 0, pageToken: options.pageToken ?? "" };
}

export function connectOptions(options: CallOptions): ConnectCallOptions {
  return {
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: Math.ceil(options.timeoutMs) }),
    ...(options.headers === undefined ? {} : { headers: { ...options.headers } }),
  };
}

/** @throws HeadwaterClientError */
export async function unary<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (thrown) {
    throw HeadwaterClientError.from(thrown);
  }
}

/**
 * Runs a streaming call and turns its messages into events. A reader who stops early cancels the call: Connect's own
 * iterables have no `return`, so breaking out of a loop would leave the server at work.
 *
 * @param event undefined skips the message
 * @throws HeadwaterClientError
 */
export async function* stream<Message, Event>(
  options: CallOptions,
  start: (options: ConnectCallOptions) => AsyncIterable<Message>,
  event: (message: Message) => Event | undefined,
): AsyncGenerator<Event, void, undefined> {
  const leaving = new AbortController();
  const signal =
    options.signal === undefined ? leaving.signal : AbortSignal.any([options.signal, leaving.signal]);
  try {
    for await (const message of start({ ...connectOptions(options), signal })) {
      const value = event(message);
      if (value !== undefined) yield value;
    }
  } catch (thrown) {
    throw HeadwaterClientError.from(thrown);
  } finally {
    leaving.abort();
  }
}
