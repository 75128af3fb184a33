import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError, status } from "@headwater/errors";
import type { EmbeddingDemand } from "@headwater/load";
import type {
  DeepPartial,
  EmbeddingServiceDefinition,
  EmbedRequest,
  EmbedResponse,
} from "@headwater/proto/services/headwater/v1/embedding";
import { backoffMs } from "@headwater/resilience";
import type { RpcClient } from "@headwater/rpc";
import { context, ROOT_CONTEXT } from "@opentelemetry/api";
import { EmbedQueue } from "./embed-queue.ts";
import type { Span, TextSource } from "./embed-task.ts";
import { EmbedTask } from "./embed-task.ts";
import { decodeVector } from "./vector.ts";

export interface EmbedderOptions {
  readonly client: RpcClient<EmbeddingServiceDefinition>;
  /** Texts in one request. */
  readonly batch: number;
  /** Requests that may be unanswered at one time. Texts in memory: `batch` times this. */
  readonly maxRequests: number;
  readonly dimensions: number;
  /** Told of what waits here, so that there are enough workers for it. */
  readonly demand: EmbeddingDemand;
  /** Throws where the worker at the other end must not be used; asked before each new stream. */
  readonly checkWorker: (signal: AbortSignal) => Promise<void>;
  readonly onTrouble: (error: HeadwaterError) => void;
  readonly onRecovered: () => void;
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
 * Embeds documents over one long-lived Embed stream: texts of many documents share requests, a few requests are
 * under way at one time, and what a broken stream left unanswered is sent again on the next.
 */
export class Embedder {
  readonly #options: EmbedderOptions;
  readonly #queue: EmbedQueue;
  readonly #unanswered = new Map<number, readonly Span[]>();
  readonly #closing = new AbortController();
  #sequence = 0;
  #changed = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;
  #lastAnswer = 0;
  #failures = 0;

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
      this.#change();
    };
    both.addEventListener("abort", leave, { once: true });
    this.#queue.add(task);
    this.#change();
    // No span of one document: the stream outlives it.
    this.#running ??= context.with(ROOT_CONTEXT, () => this.#run());
    try {
      return await task.result;
    } finally {
      both.removeEventListener("abort", leave);
      waiting.end();
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const stream = new AbortController();
      const both = AbortSignal.any([signal, stream.signal]);
      const watchdog = setInterval(() => this.#abortWhenSilent(stream), silenceMs / 4);
      try {
        await this.#options.checkWorker(both);
        this.#lastAnswer = performance.now();
        for await (const response of this.#options.client.call.embed(this.#requests(both), { signal: both }))
          this.#answer(response);
        // A worker that drains ends the stream in order.
        this.#recoverFrom(unavailable("The embedding-worker ended the stream."));
      } catch (thrown) {
        if (signal.aborted) break;
        this.#recoverFrom(
          stream.signal.aborted
            ? unavailable("The embedding-worker is silent.")
            : HeadwaterError.from(thrown),
        );
      } finally {
        clearInterval(watchdog);
        stream.abort();
      }
      await delay(backoffMs(this.#failures), undefined, { signal }).catch(() => {});
    }
  }

  async *#requests(signal: AbortSignal): AsyncGenerator<DeepPartial<EmbedRequest>> {
    const onAbort = () => this.#change();
    signal.addEventListener("abort", onAbort);
    try {
      while (!signal.aborted) {
        const { size } = this.#unanswered;
        const spans = size < this.#options.maxRequests ? this.#queue.next(size) : [];
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
      signal.removeEventListener("abort", onAbort);
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
    if (this.#failures > 0) this.#options.onRecovered();
    this.#failures = 0;
    this.#change();
  }

  /** What was not answered goes again; after an error that blames a request, each document by itself. */
  #recoverFrom(error: HeadwaterError): void {
    this.#failures += 1;
    const left = [...this.#unanswered.values()];
    this.#unanswered.clear();
    const [only, ...others] = left.flat();
    if (!only || !blaming.has(error.code)) {
      this.#options.onTrouble(error);
      this.#queue.sendAgain(left.flat());
      return;
    }
    if (others.length > 0) {
      this.#options.onTrouble(error);
      this.#queue.sendAlone(left.flat());
    } else if (only.attempts + 1 < maxLoneAttempts)
      this.#queue.sendAlone([{ ...only, attempts: only.attempts + 1 }]);
    else only.task.fail(error);
  }

  #abortWhenSilent(stream: AbortController): void {
    if (this.#unanswered.size > 0 && performance.now() - this.#lastAnswer > silenceMs) stream.abort();
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

function textsOf({ task, from, to }: Span): string[] {
  const texts: string[] = [];
  for (let place = from; place < to; place += 1) texts.push(task.source.text(place));
  return texts;
}

function unavailable(message: string): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.UNAVAILABLE, reason: "HW_EMBEDDING_UNAVAILABLE", message },
    action: "Check that the embedding-worker runs; work goes on by itself.",
  });
}
