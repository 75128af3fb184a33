import { hash } from "node:crypto";
import type { Cache, CacheEntry } from "@headwater/cache";
import { trace } from "@opentelemetry/api";
import type { EmbeddingMetrics } from "./metrics.ts";
import type { EncoderFolder } from "./model/encoder-folder.ts";
import type { TextTokenizer, TokenizedText } from "./model/tokenizer.ts";
import type { TokenVectorStore } from "./rerank/token-vector-store.ts";
import type { Scheduler } from "./scheduling/scheduler.ts";
import type { EncodeWork, Lane, RanOf } from "./scheduling/work.ts";
import { SharedCalls } from "./shared-calls.ts";

export interface EmbedderOptions {
  readonly encoder: EncoderFolder;
  readonly tokenizer: TextTokenizer;
  readonly scheduler: Scheduler;
  readonly cache: Cache;
  /** Takes the token vectors of passages, where the reranker has use for them. */
  readonly tokenVectors?: TokenVectorStore;
  readonly metrics: EmbeddingMetrics;
}

/** On whose behalf, and how. */
export interface CallOptions {
  /** See `Work.flow`. */
  readonly flow: object;
  readonly signal: AbortSignal;
  readonly skipCache: boolean;
}

export interface EmbeddedText {
  /** float32, little-endian, of length 1. */
  readonly vector: Uint8Array;
  readonly tokens: number;
  readonly truncated: boolean;
  readonly cached: boolean;
}

/** Milliseconds, of the slowest text. */
export interface Timings {
  readonly tokenizeMs: number;
  readonly queueMs: number;
  readonly inferenceMs: number;
}

export interface EmbeddedTexts {
  readonly embeddings: readonly EmbeddedText[];
  readonly timings: Timings;
}

/** Texts that are tokenised, with what is known of each. */
export interface PreparedTexts {
  readonly texts: readonly TokenizedText[];
  /** Tokens of all. */
  readonly tokens: number;
  readonly tokenizeMs: number;
}

/** Turns texts into vectors: tokenises, looks into the cache, has the rest computed and keeps it. */
export class Embedder {
  readonly #options: EmbedderOptions;
  readonly #shared = new SharedCalls<RanOf<EncodeWork>>();

  constructor(options: EmbedderOptions) {
    this.#options = options;
  }

  preparePassages(texts: readonly string[]): Promise<PreparedTexts> {
    return this.#prepare(this.#options.encoder.passagePrefix, texts);
  }

  prepareQuery(text: string): Promise<PreparedTexts> {
    return this.#prepare(this.#options.encoder.queryPrefix, [text]);
  }

  /** @throws HeadwaterError HW_OVERLOADED, urgent lanes only; the signal's reason once it has fired */
  async embed(prepared: PreparedTexts, lane: Lane, call: CallOptions): Promise<EmbeddedTexts> {
    const { texts, tokenizeMs } = prepared;
    const keys = texts.map((text) => this.#cacheKey(text));
    const cached = call.skipCache ? [] : await this.#readCache(keys);
    call.signal.throwIfAborted();
    const ran = await this.#computeMissing(prepared, keys, cached, lane, call);
    const embeddings = texts.map(({ ids, truncated }, index): EmbeddedText => {
      const hit = cached[index];
      const vector = hit ?? ran.get(index)?.output.vector;
      if (!vector) throw new Error("a text has no vector");
      return { vector: bytesOf(vector), tokens: ids.length, truncated, cached: hit !== undefined };
    });
    if (!call.skipCache && ran.size > 0) await this.#keep(texts, keys, ran, lane);
    return { embeddings, timings: { tokenizeMs, ...slowest([...ran.values()]) } };
  }

  async #prepare(prefix: string, texts: readonly string[]): Promise<PreparedTexts> {
    const started = performance.now();
    const tokenized = await this.#options.tokenizer.encode(
      prefix === "" ? texts : texts.map((text) => prefix + text),
    );
    const tokenizeMs = performance.now() - started;
    this.#options.metrics.stageSeconds.observe({ stage: "tokenize" }, tokenizeMs / 1000);
    return { texts: tokenized, tokens: tokenized.reduce((sum, { ids }) => sum + ids.length, 0), tokenizeMs };
  }

  /**
   * The normal form of a text, as the model sees it, is its token ids: texts that differ in what the tokenizer does
   * not tell apart (blanks, case, Unicode form) share an entry, and no two that embed differently ever do.
   */
  #cacheKey({ ids }: TokenizedText): string {
    return `${this.#options.encoder.fingerprint}/vector/${hash("sha256", bytesOf(ids), "base64url")}`;
  }

  async #readCache(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const { cache, encoder } = this.#options;
    const found = await cache.getMany(keys);
    return found.map((value) => (value?.byteLength === encoder.dimensions * 4 ? value : undefined));
  }

  async #keep(
    texts: readonly TokenizedText[],
    keys: readonly string[],
    ran: ReadonlyMap<number, RanOf<EncodeWork>>,
    lane: Lane,
  ): Promise<void> {
    const vectors: CacheEntry[] = [];
    const tokens: { text: string; packed: Uint8Array }[] = [];
    for (const [index, { output }] of ran) {
      const [key, text] = [keys[index], texts[index]?.text];
      if (key !== undefined && output.vector) vectors.push({ key, value: bytesOf(output.vector) });
      if (text !== undefined && output.tokens) tokens.push({ text, packed: output.tokens });
    }
    // A passage is embedded once, and again only where an index is built anew.
    await this.#options.cache.setMany(vectors, { unasked: lane === "passage" });
    if (tokens.length > 0) await this.#options.tokenVectors?.keepFromIngest(tokens);
  }

  async #computeMissing(
    { texts }: PreparedTexts,
    keys: readonly string[],
    cached: readonly (Uint8Array | undefined)[],
    lane: Lane,
    { flow, signal, skipCache }: CallOptions,
  ): Promise<Map<number, RanOf<EncodeWork>>> {
    const { scheduler, tokenVectors } = this.#options;
    const tokens = lane === "passage" && !skipCache && tokenVectors?.takesFromIngest === true;
    const span = trace.getActiveSpan()?.spanContext();
    const workOf = ({ ids }: TokenizedText, signal: AbortSignal): EncodeWork => ({
      kind: "encode",
      lane,
      flow,
      signal,
      input: { ids, vector: true, tokens },
      ...(span ? { span } : {}),
    });
    const missing = texts.flatMap((text, index) =>
      cached[index] ? [] : [{ text, index, key: keys[index] ?? "" }],
    );
    if (missing.length > 0 && lane !== "passage") scheduler.refuseIfOverloaded();
    const results = skipCache
      ? scheduler.submit(missing.map(({ text }) => workOf(text, signal)))
      : missing.map(({ text, key }) =>
          this.#shared.join(`${lane} ${key}`, signal, async (shared) => {
            const [result] = scheduler.submit([workOf(text, shared)]);
            if (!result) throw new Error("the scheduler took no work");
            return result;
          }),
        );
    const ran = await Promise.all(results);
    return new Map(missing.flatMap(({ index }, at) => (ran[at] ? [[index, ran[at]] as const] : [])));
  }
}

export function slowest(ran: readonly { readonly queueMs: number; readonly inferenceMs: number }[]) {
  return {
    queueMs: Math.max(0, ...ran.map(({ queueMs }) => queueMs)),
    inferenceMs: Math.max(0, ...ran.map(({ inferenceMs }) => inferenceMs)),
  };
}

function bytesOf(array: Float32Array | Int32Array | Uint8Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
