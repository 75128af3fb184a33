import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError, status } from "@headwater/errors";
import type {
  DeepPartial,
  EmbeddingServiceDefinition,
  EmbedRequest,
  EmbedResponse,
} from "@headwater/proto/services/headwater/v1/embedding";
import { backoffMs } from "@headwater/resilience";
import type { RpcClient } from "@headwater/rpc";
import type { EmbedQueue } from "./embed-queue.ts";
import type { Span } from "./embed-task.ts";
import { decodeVector } from "./vector.ts";

export type EmbeddingClient = RpcClient<EmbeddingServiceDefinition>;

export interface EmbedStreamOptions {
  /** Of one worker alone; closed with the stream. */
  readonly worker: EmbeddingClient;
  /** Shared with the streams to the other workers. */
  readonly queue: EmbedQueue;
  readonly maxRequests: number;
  readonly dimensions: number;
  /** Throws where the worker at the other end must not be used; asked before each new stream. */
  readonly checkWorker: (worker: EmbeddingClient, signal: AbortSignal) => Promise<void>;
  readonly onTrouble: (error: HeadwaterError) => void;
  readonly onAnswer: () => void;
  /** The queue has got something for the other streams. */
  readonly onQueued: () => void;
}

/** Without any answer for this long, in milliseconds, a stream with requests in it is taken for dead. */
const silenceMs = 120_000;
/** Times that texts are tried in a request of their own before their document is given up. */
export const maxLoneAttempts = 3;

/** Codes that say something about the request itself. With any other code the texts are innocent. */
const blaming: ReadonlySet<number> = new Set([
  status.INVALID_ARGUMENT,
  status.OUT_OF_RANGE,
  status.INTERNAL,
  status.UNKNOWN,
  status.DATA_LOSS,
]);

/**
 * The work of one worker: a long-lived Embed stream with a few requests under way at one time. It takes as much from
 * the queue as its worker answers, so a fast one takes more. What a broken stream left unanswered is sent again, on the
 * next one or by another.
 */
export class EmbedStream {
  readonly #options: EmbedStreamOptions;
  readonly #unanswered = new Map<number, readonly Span[]>();
  #sequence = 0;
  #changed = Promise.withResolvers<void>();
  #lastAnswer = 0;
  #failures = 0;

  constructor(options: EmbedStreamOptions) {
    this.#options = options;
  }

  /** There is something to do, or nothing any more. */
  wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /**
   * @param gone the worker gets no more requests, and is waited for until it has answered those that it has
   * @param signal ends all at once
   */
  async run(gone: AbortSignal, signal: AbortSignal): Promise<void> {
    const wake = () => this.wake();
    gone.addEventListener("abort", wake);
    try {
      while (!signal.aborted && !gone.aborted) await this.#stream(gone, signal);
    } finally {
      gone.removeEventListener("abort", wake);
      this.#options.worker.close();
    }
  }

  async #stream(gone: AbortSignal, signal: AbortSignal): Promise<void> {
    const { worker, checkWorker } = this.#options;
    const stream = new AbortController();
    const both = AbortSignal.any([signal, stream.signal]);
    const watchdog = setInterval(() => this.#abortWhenSilent(stream), silenceMs / 4);
    try {
      await checkWorker(worker, both);
      this.#lastAnswer = performance.now();
      for await (const response of worker.call.embed(this.#requests(gone, both), { signal: both }))
        this.#answer(response);
      // A worker that drains ends the stream in order.
      if (!gone.aborted || this.#unanswered.size > 0)
        this.#recoverFrom(unavailable("The embedding-worker ended the stream."));
    } catch (thrown) {
      if (signal.aborted) return;
      const silent = stream.signal.aborted;
      this.#recoverFrom(
        silent ? unavailable("The embedding-worker is silent.") : HeadwaterError.from(thrown),
      );
    } finally {
      clearInterval(watchdog);
      stream.abort();
    }
    const waiting = AbortSignal.any([signal, gone]);
    await delay(backoffMs(this.#failures), undefined, { signal: waiting }).catch(() => {});
  }

  async *#requests(gone: AbortSignal, signal: AbortSignal): AsyncGenerator<DeepPartial<EmbedRequest>> {
    const wake = () => this.wake();
    signal.addEventListener("abort", wake);
    try {
      while (!signal.aborted && !gone.aborted) {
        const { size } = this.#unanswered;
        const spans = size < this.#options.maxRequests ? this.#options.queue.next(size) : [];
        if (spans.length === 0) {
          await this.#changed.promise;
          continue;
        }
        if (size === 0) this.#lastAnswer = performance.now();
        const sequence = ++this.#sequence;
        this.#unanswered.set(sequence, spans);
        yield { sequence, texts: spans.flatMap(textsOf) };
      }
    } finally {
      signal.removeEventListener("abort", wake);
    }
  }

  #answer({ sequence, embeddings }: EmbedResponse): void {
    const spans = this.#unanswered.get(sequence);
    const expected = spans?.reduce((sum, { from, to }) => sum + to - from, 0);
    if (!spans || expected !== embeddings.length) {
      throw new HeadwaterError({
        ...{ code: status.INTERNAL, reason: "HW_EMBED_RESPONSE_INVALID" },
        message: `The embedding-worker answered ${embeddings.length} vectors for ${expected ?? "no"} texts.`,
      });
    }
    let place = 0;
    for (const { task, from, to } of spans) {
      for (let text = from; text < to; text += 1) {
        const vector = embeddings[place]?.vector ?? new Uint8Array();
        task.fill(text, decodeVector(vector, this.#options.dimensions));
        place += 1;
      }
    }
    this.#unanswered.delete(sequence);
    this.#lastAnswer = performance.now();
    this.#failures = 0;
    this.#options.onAnswer();
    this.wake();
  }

  /** What was not answered goes again; after an error that blames a request, each document by itself. */
  #recoverFrom(error: HeadwaterError): void {
    const { queue, onTrouble, onQueued } = this.#options;
    this.#failures += 1;
    const left = [...this.#unanswered.values()].flat();
    this.#unanswered.clear();
    const [only, ...others] = left;
    if (!only || !blaming.has(error.code)) {
      onTrouble(error);
      queue.sendAgain(left);
    } else if (others.length > 0) {
      onTrouble(error);
      queue.sendAlone(left);
    } else if (only.attempts + 1 < maxLoneAttempts)
      queue.sendAlone([{ ...only, attempts: only.attempts + 1 }]);
    else only.task.fail(error);
    onQueued();
  }

  #abortWhenSilent(stream: AbortController): void {
    if (this.#unanswered.size > 0 && performance.now() - this.#lastAnswer > silenceMs) stream.abort();
  }
}

function textsOf({ task, from, to }: Span): string[] {
  const texts: string[] = [];
  for (let place = from; place < to; place += 1) texts.push(task.source.text(place));
  return texts;
}

export function unavailable(message: string, cause?: unknown): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.UNAVAILABLE, reason: "HW_EMBEDDING_UNAVAILABLE", message, cause },
    action: "Check that the embedding-worker runs; work goes on by itself.",
  });
}
