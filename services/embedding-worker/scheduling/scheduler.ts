import { HeadwaterError, status } from "@headwater/errors";
import { FadingRate } from "@headwater/load";
import type { Tracer } from "@opentelemetry/api";
import { SpanStatusCode } from "@opentelemetry/api";
import type { EncoderOutput } from "../inference/job.ts";
import type { Engine } from "../inference/thread-pool.ts";
import type { DropReason, EmbeddingMetrics } from "../metrics.ts";
import type { BatchLimits } from "./batch.ts";
import { paddedTokens, pickBatch } from "./batch.ts";
import { FairQueue } from "./fair-queue.ts";
import type { Throughput } from "./throughput.ts";
import type { Lane, Ran, RanOf, Work } from "./work.ts";
import { lanes, tokensOf } from "./work.ts";

export interface SchedulerOptions {
  readonly engine: Engine;
  readonly limits: BatchLimits;
  /** Tokens of urgent lanes that may wait. */
  readonly urgentQueueTokens: number;
  readonly throughput: Throughput;
  readonly metrics: EmbeddingMetrics;
  readonly tracer: Tracer;
  /** Told how each batch ended, for health: undefined when it went well. */
  readonly onBatch?: (failure: HeadwaterError | undefined) => void;
}

/** A text that waits or is in the model. */
interface Item {
  readonly work: Work;
  readonly enqueued: number;
  resolve(ran: Ran<EncoderOutput | number>): void;
  reject(reason: unknown): void;
}

/** Items of a lane among which those of like length are looked for: enough for little padding, cheap to sort. */
const windowItems = 256;

/** Passages get a batch after so many times a batch's tokens of urgent work, so that a flood of it does not stop them. */
const patienceBatches = 4;

/** Milliseconds: the scaler should see what load there is, not each gap between two documents. */
const rateConstantMs = 15_000;

/** A refused caller should not be back before something has changed. */
const shortestRetryMs = 100;

/**
 * Puts texts into batches and batches onto the engine. No timer: an idle engine starts at once, and while it is busy
 * batches form out of what has come meanwhile.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #queues: Readonly<Record<Lane, FairQueue<Item>>> = {
    query: new FairQueue(),
    rerank: new FairQueue(),
    passage: new FairQueue(),
  };
  readonly #inFlight: Record<Lane, number> = { query: 0, rerank: 0, passage: 0 };
  readonly #rates: Readonly<Record<Lane, FadingRate>> = {
    query: new FadingRate(rateConstantMs),
    rerank: new FadingRate(rateConstantMs),
    passage: new FadingRate(rateConstantMs),
  };
  #urgentSincePassage = 0;
  #lastBusyAt = performance.now();

  constructor(options: SchedulerOptions) {
    this.#options = options;
    // Others use the engine too (late interaction scores in it), so the end of a batch is not the only time at which
    // there is room again.
    options.engine.onRoom(() => this.#dispatch());
  }

  get queuedTokens(): number {
    return lanes.reduce((sum, lane) => sum + this.#queues[lane].tokens, 0);
  }

  get inFlightTokens(): number {
    return lanes.reduce((sum, lane) => sum + this.#inFlight[lane], 0);
  }

  /** When there was work last, by `performance.now()`. */
  get lastBusyAt(): number {
    return this.queuedTokens + this.inFlightTokens > 0 ? performance.now() : this.#lastBusyAt;
  }

  /** Tokens that wait in one lane. */
  queuedIn(lane: Lane): number {
    return this.#queues[lane].tokens;
  }

  /** Tokens of one lane that are in the model. */
  inFlightOf(lane: Lane): number {
    return this.#inFlight[lane];
  }

  /** Tokens a second of one lane that lately went through the model. */
  rateOf(lane: Lane): number {
    return this.#rates[lane].perSecond;
  }

  /** @throws HeadwaterError RESOURCE_EXHAUSTED, HW_OVERLOADED, with a retry hint, while too much urgent work waits */
  refuseIfOverloaded(): void {
    const queued = this.queuedIn("query") + this.queuedIn("rerank");
    if (queued < this.#options.urgentQueueTokens) return;
    this.#options.metrics.dropped.inc({ why: "refused" satisfies DropReason });
    throw new HeadwaterError({
      code: status.RESOURCE_EXHAUSTED,
      reason: "HW_OVERLOADED",
      message: `The model has ${queued} tokens of queries and reranks to do first.`,
      action: "Try again after the time given, or add replicas of the embedding-worker.",
      retryAfterMs: Math.max(shortestRetryMs, Math.ceil(this.#options.throughput.millisecondsFor(queued))),
    });
  }

  /**
   * Queues the texts of one request, all or none.
   *
   * @returns a promise for each text; it rejects with the signal's reason once that has fired
   * @throws HeadwaterError HW_OVERLOADED, urgent lanes only
   */
  submit<W extends Work>(works: readonly W[]): Promise<RanOf<W>>[] {
    if (works.some(({ lane }) => lane !== "passage")) this.refuseIfOverloaded();
    const results = works.map((work) => this.#enqueue(work));
    // After all that is submitted in this turn of the event loop, so that it is sorted together.
    queueMicrotask(() => this.#dispatch());
    return results;
  }

  #enqueue<W extends Work>(work: W): Promise<RanOf<W>> {
    const { promise, resolve, reject } = Promise.withResolvers<Ran<EncoderOutput | number>>();
    const { signal, lane } = work;
    const queue = this.#queues[lane];
    const item: Item = {
      work,
      enqueued: performance.now(),
      resolve(ran) {
        signal.removeEventListener("abort", leave);
        resolve(ran);
      },
      reject(reason) {
        signal.removeEventListener("abort", leave);
        reject(reason);
      },
    };
    const leave = () => {
      const before = queue.length;
      queue.remove(new Set([item]));
      if (queue.length < before) this.#countDropped(signal, lane);
      item.reject(signal.reason);
    };
    if (signal.aborted) {
      this.#countDropped(signal, lane);
      reject(signal.reason);
    } else {
      signal.addEventListener("abort", leave, { once: true });
      queue.push(item, tokensOf(work), work.flow);
      this.#options.metrics.queueTokens.set({ lane }, queue.tokens);
    }
    // The engine answers each kind of work with its kind of output.
    return promise as Promise<RanOf<W>>;
  }

  #countDropped(signal: AbortSignal, lane: Lane): void {
    const timeout = signal.reason instanceof Error && signal.reason.name === "TimeoutError";
    this.#options.metrics.dropped.inc({ why: (timeout ? "deadline" : "left") satisfies DropReason });
    this.#options.metrics.queueTokens.set({ lane }, this.#queues[lane].tokens);
  }

  #dispatch(): void {
    for (let lane = this.#nextLane(); lane; lane = this.#nextLane()) this.#take(lane);
  }

  /** The most urgent lane for which the engine has room; passages when it is their turn. */
  #nextLane(): Lane | undefined {
    const { engine, limits } = this.#options;
    const waiting = lanes.filter((lane) => this.#queues[lane].length > 0);
    const passagesDue = this.#urgentSincePassage >= patienceBatches * limits.tokens;
    if (passagesDue && waiting.includes("passage")) return engine.accepts(true) ? "passage" : undefined;
    return waiting.find((lane) => engine.accepts(lane !== "passage"));
  }

  #take(lane: Lane): void {
    const { limits, metrics } = this.#options;
    const queue = this.#queues[lane];
    queue.advance();
    // A query goes alone: then its vector, and so its hits, do not depend on who else is asking.
    const batch = pickBatch(queue.peek(windowItems), lane === "query" ? { ...limits, texts: 1 } : limits);
    queue.remove(new Set(batch));
    metrics.queueTokens.set({ lane }, queue.tokens);
    const urgent = lane !== "passage" || this.#urgentSincePassage > 0;
    const tokens = batch.reduce((sum, { work }) => sum + tokensOf(work), 0);
    this.#urgentSincePassage = lane === "passage" ? 0 : this.#urgentSincePassage + tokens;
    void this.#run(batch, urgent);
  }

  async #run(batch: readonly Item[], urgent: boolean): Promise<void> {
    const { metrics, throughput, onBatch } = this.#options;
    const started = performance.now();
    const tokens = batch.reduce((sum, { work }) => sum + tokensOf(work), 0);
    const lane = batch[0]?.work.lane ?? "passage";
    this.#addInFlight(lane, tokens);
    const span = this.#startSpan(batch, tokens);
    try {
      const { outputs, milliseconds } = await this.#runInEngine(batch, urgent);
      for (const [index, item] of batch.entries()) {
        const output = outputs[index];
        if (output === undefined) item.reject(new Error("the engine gave too few outputs"));
        else item.resolve({ output, queueMs: started - item.enqueued, inferenceMs: milliseconds });
      }
      throughput.record(tokens, milliseconds);
      this.#rates[lane].count(tokens);
      metrics.batchTexts.observe(batch.length);
      metrics.batchFill.observe(tokens / paddedTokens(batch));
      metrics.stageSeconds.observe({ stage: "queue" }, (started - (batch[0]?.enqueued ?? started)) / 1000);
      metrics.stageSeconds.observe({ stage: "inference" }, milliseconds / 1000);
      for (const { work } of batch) metrics.tokens.inc({ lane: work.lane }, tokensOf(work));
      onBatch?.(undefined);
    } catch (thrown) {
      const error = HeadwaterError.from(thrown);
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.reason });
      onBatch?.(error);
      // One bad text must not fail its neighbours: each is tried by itself.
      if (batch.length > 1 && error.reason === "HW_INFERENCE_FAILED")
        for (const item of batch) void this.#run([item], urgent);
      else for (const item of batch) item.reject(error);
    } finally {
      span.end();
      this.#addInFlight(lane, -tokens);
      this.#dispatch();
    }
  }

  async #runInEngine(batch: readonly Item[], urgent: boolean) {
    const works = batch.map(({ work }) => work);
    const encodes = works.flatMap((work) => (work.kind === "encode" ? [work.input] : []));
    if (encodes.length > 0)
      return this.#options.engine.run<"encode">({ kind: "encode", inputs: encodes }, urgent);
    const pairs = works.flatMap((work) => (work.kind === "pairs" ? [work.input] : []));
    return this.#options.engine.run<"pairs">({ kind: "pairs", inputs: pairs }, urgent);
  }

  #startSpan(batch: readonly Item[], tokens: number) {
    const callers = new Map(batch.flatMap(({ work: { span } }) => (span ? [[span.spanId, span]] : [])));
    return this.#options.tracer.startSpan("inference batch", {
      root: true,
      links: [...callers.values()].map((context) => ({ context })),
      attributes: { "headwater.texts": batch.length, "headwater.tokens": tokens },
    });
  }

  #addInFlight(lane: Lane, tokens: number): void {
    this.#inFlight[lane] += tokens;
    this.#lastBusyAt = performance.now();
    this.#options.metrics.inFlightTokens.set(this.inFlightTokens);
  }
}
