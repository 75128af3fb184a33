import { Code, ConnectError } from "@connectrpc/connect";
import type { CallOptions } from "./call.ts";
import { HeadwaterClientError } from "./error.ts";
import { isLostConnection } from "./lost-connection.ts";

export interface ReconnectOptions extends CallOptions {
  /**
   * How often in a row, without an event in between, a lost connection is made again, after 250 ms and then twice as
   * long each time, at most 5 s. Default: the client's, or 8, about 25 s; 0: never.
   */
  reconnects?: number;
}

const defaultReconnects = 8;
const firstPauseMs = 250;
const longestPauseMs = 5000;

/** How often one stream was lost in a row, and what time it has left. */
export class Reconnects {
  readonly #options: ReconnectOptions;
  readonly #deadline: number | undefined;
  #failures = 0;

  constructor(options: ReconnectOptions) {
    this.#options = options;
    const { timeoutMs } = options;
    this.#deadline = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
  }

  /** True once a connection was lost and none has brought anything since. */
  get lost(): boolean {
    return this.#failures > 0;
  }

  /** For the next attempt. */
  options(): CallOptions {
    if (this.#deadline === undefined) return this.#options;
    return { ...this.#options, timeoutMs: Math.max(1, this.#deadline - performance.now()) };
  }

  received(): void {
    this.#failures = 0;
  }

  /** Waits until the next attempt is due. @throws HeadwaterClientError that ended the last one, where there is to be none */
  async wait(error: HeadwaterClientError): Promise<void> {
    const { signal, reconnects = defaultReconnects } = this.#options;
    if (signal?.aborted || this.#failures >= reconnects) throw error;
    const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** this.#failures);
    this.#failures += 1;
    await sleep(Math.max(pause, error.retryAfterMs ?? 0), signal);
  }
}

/** What becomes of a stream that is begun anew. */
export interface Continuation<Event> {
  /** False for an event that the reader has already. */
  isNew(event: Event): boolean;
  /** False where what was read cannot be gone on with. */
  readonly possible: boolean;
}

/** A stream without side effects, begun anew where its connection is lost. Who was never there is told at once. */
export async function* reconnected<Event>(
  options: ReconnectOptions,
  open: (options: CallOptions) => AsyncIterable<Event>,
  continuation: Continuation<Event>,
): AsyncGenerator<Event, void, undefined> {
  const reconnects = new Reconnects(options);
  while (true) {
    try {
      for await (const event of open(reconnects.options())) {
        reconnects.received();
        if (continuation.isNew(event)) yield event;
      }
      return;
    } catch (thrown) {
      const error = HeadwaterClientError.from(thrown);
      const nobody = reconnects.lost && error.code === Code.Unavailable;
      if (!continuation.possible || !(nobody || isCut(error))) throw error;
      await reconnects.wait(error);
    }
  }
}

/** The connection was lost, or its server is about to go. */
function isCut(error: HeadwaterClientError): boolean {
  return error.reason === "HW_SERVER_DRAINING" || isLostConnection(ConnectError.from(error.cause));
}

/** @throws HeadwaterClientError HW_CANCELLED when the signal fires */
async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal?.addEventListener("abort", wake, { once: true });
    if (signal?.aborted) wake();
  });
  if (signal?.aborted) throw cancelled();
}

function cancelled(): HeadwaterClientError {
  return new HeadwaterClientError({
    code: Code.Canceled,
    reason: "HW_CANCELLED",
    message: "The call was cancelled.",
  });
}
