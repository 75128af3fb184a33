import type { HeadwaterError } from "@headwater/errors";
import type { EmbeddingDemand } from "@headwater/load";
import { context, ROOT_CONTEXT } from "@opentelemetry/api";
import { EmbedQueue } from "./embed-queue.ts";
import type { EmbeddingClient } from "./embed-stream.ts";
import { EmbedStream, unavailable } from "./embed-stream.ts";
import type { TextSource } from "./embed-task.ts";
import { EmbedTask } from "./embed-task.ts";

export interface EmbedderOptions {
  /** Of all workers. */
  readonly client: Pick<EmbeddingClient, "forEachServer">;
  /** Texts in one request. */
  readonly batch: number;
  /** Requests that may be unanswered at one time by one worker. Texts in memory: `batch` times this, for each. */
  readonly maxRequests: number;
  readonly dimensions: number;
  /** Told of what waits here, so that there are enough workers for it. */
  readonly demand: EmbeddingDemand;
  /** Throws where a worker must not be used; asked before each new stream to it. */
  readonly checkWorker: (worker: EmbeddingClient, signal: AbortSignal) => Promise<void>;
  readonly onTrouble: (error: HeadwaterError) => void;
  readonly onRecovered: () => void;
}

/**
 * Embeds documents over a long-lived Embed stream to each worker: texts of many documents share requests, and wait in
 * one queue from which each worker is given as much as it answers. A worker that comes gets its share at once; what one
 * that goes has left is sent to the others.
 */
export class Embedder {
  readonly #options: EmbedderOptions;
  readonly #queue: EmbedQueue;
  readonly #closing = new AbortController();
  readonly #streams = new Set<EmbedStream>();
  readonly #running = new Set<Promise<void>>();
  #stopWatching: (() => void) | undefined;
  #inTrouble = false;

  constructor(options: EmbedderOptions) {
    this.#options = options;
    this.#queue = new EmbedQueue(options.batch);
  }

  /**
   * @returns one vector a text, in order
   * @throws HeadwaterError where the texts themselves are at fault
   * @throws AbortError when `signal` fires, or the embedder is closed
   */
  async embed(source: TextSource, signal: AbortSignal): Promise<Float32Array[]> {
    if (source.length === 0) return [];
    const both = AbortSignal.any([signal, this.#closing.signal]);
    both.throwIfAborted();
    const waiting = this.#options.demand.wait("passages", source.tokens);
    const task = new EmbedTask(source, () => waiting.less(source.tokens / source.length));
    const leave = () => {
      task.fail(both.reason);
      this.#wake();
    };
    both.addEventListener("abort", leave, { once: true });
    this.#queue.add(task);
    this.#wake();
    // No span of one document: the streams outlive it.
    this.#stopWatching ??= context.with(ROOT_CONTEXT, () => this.#watchWorkers());
    try {
      return await task.result;
    } finally {
      both.removeEventListener("abort", leave);
      waiting.end();
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#stopWatching?.();
    await Promise.all(this.#running);
  }

  #watchWorkers(): () => void {
    return this.#options.client.forEachServer(
      (worker, gone) => this.#start(worker, gone),
      (failure) => this.#trouble(unavailable("There is no embedding-worker.", failure)),
    );
  }

  #start(worker: EmbeddingClient, gone: AbortSignal): void {
    const { maxRequests, dimensions, checkWorker } = this.#options;
    const stream = new EmbedStream({
      ...{ worker, maxRequests, dimensions, checkWorker, queue: this.#queue },
      onTrouble: (error) => this.#trouble(error),
      onAnswer: () => this.#recovered(),
      onQueued: () => this.#wake(),
    });
    this.#streams.add(stream);
    const running = stream.run(gone, this.#closing.signal).finally(() => {
      this.#streams.delete(stream);
      this.#running.delete(running);
    });
    this.#running.add(running);
  }

  #trouble(error: HeadwaterError): void {
    this.#inTrouble = true;
    this.#options.onTrouble(error);
  }

  #recovered(): void {
    if (this.#inTrouble) this.#options.onRecovered();
    this.#inTrouble = false;
  }

  #wake(): void {
    for (const stream of this.#streams) stream.wake();
  }
}
