import { setTimeout as delay } from "node:timers/promises";
import type { DocumentLog, PartitionLag } from "@headwater/document-log";

/** Milliseconds between two looks at the log's lag. */
const pollMs = 1000;

/** Makes pushes wait while too many events are in the log and not yet done, so that a backlog has a bound. */
export class BacklogGate {
  readonly #log: DocumentLog;
  readonly #group: string;
  readonly #maxLag: number;
  readonly #closing = new AbortController();
  readonly #onLag: (partitions: readonly PartitionLag[]) => void;
  readonly #onError: (thrown: unknown) => void;
  readonly #polling: Promise<void>;
  #lag = 0;
  /** Resolves when the gate opens; undefined while it is open. */
  #closed: PromiseWithResolvers<void> | undefined;

  constructor(options: {
    log: DocumentLog;
    group: string;
    maxLag: number;
    /** Told of each look. */
    onLag: (partitions: readonly PartitionLag[]) => void;
    onError: (thrown: unknown) => void;
  }) {
    this.#log = options.log;
    this.#group = options.group;
    this.#maxLag = options.maxLag;
    this.#onLag = options.onLag;
    this.#onError = options.onError;
    this.#polling = this.#poll();
  }

  /** Waits while the backlog is at its bound. @throws AbortError when `signal` fires */
  async pass(signal: AbortSignal): Promise<void> {
    while (this.#closed) {
      await Promise.race([this.#closed.promise, delay(pollMs, undefined, { signal })]);
    }
    signal.throwIfAborted();
  }

  /** Between two looks what was added counts, so that a fast producer cannot run far past the bound. */
  added(records: number): void {
    this.#lag += records;
    this.#judge();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#polling;
  }

  async #poll(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        const partitions = await this.#log.lag(this.#group);
        this.#onLag(partitions);
        this.#lag = partitions.reduce(
          (sum, { endOffset, committedOffset }) => sum + endOffset - committedOffset,
          0,
        );
        this.#judge();
      } catch (thrown) {
        this.#onError(thrown);
      }
      await delay(pollMs, undefined, { signal: this.#closing.signal }).catch(() => {});
    }
    this.#closed?.resolve();
    this.#closed = undefined;
  }

  #judge(): void {
    if (this.#lag >= this.#maxLag) this.#closed ??= Promise.withResolvers();
    // Opens a little below the bound, so that it does not flutter.
    else if (this.#closed && this.#lag <= this.#maxLag * 0.95) {
      this.#closed.resolve();
      this.#closed = undefined;
    }
  }
}
