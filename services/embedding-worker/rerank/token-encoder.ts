import { trace } from "@opentelemetry/api";
import type { CallOptions } from "../embedder.ts";
import type { TextTokenizer } from "../model/tokenizer.ts";
import type { Scheduler } from "../scheduling/scheduler.ts";
import type { EncodeWork, Lane, RanOf } from "../scheduling/work.ts";
import { SharedCalls } from "../shared-calls.ts";
import type { TokenVectorStore } from "./token-vector-store.ts";

/** Packed token vectors of a text, and what they took; zeros where they were kept. */
export interface EncodedTokens {
  readonly packed: Uint8Array;
  readonly tokenizeMs: number;
  readonly queueMs: number;
  readonly inferenceMs: number;
}

/** Token vectors of texts, for late interaction: kept ones, or computed and then kept. */
export class TokenEncoder {
  readonly #tokenizer: TextTokenizer;
  readonly #scheduler: Scheduler;
  readonly #store: TokenVectorStore;
  readonly #shared = new SharedCalls<EncodedTokens>();

  constructor(tokenizer: TextTokenizer, scheduler: Scheduler, store: TokenVectorStore) {
    this.#tokenizer = tokenizer;
    this.#scheduler = scheduler;
    this.#store = store;
  }

  /** One promise a text, prefix included. @throws HeadwaterError HW_OVERLOADED */
  async encode(
    texts: readonly string[],
    lane: Lane,
    { flow, signal, skipCache }: CallOptions,
  ): Promise<Promise<EncodedTokens>[]> {
    const kept = skipCache ? [] : await this.#store.find(texts);
    const missing = texts.filter((_, index) => kept[index] === undefined);
    if (missing.length > 0) this.#scheduler.refuseIfOverloaded();
    const started = performance.now();
    const tokenized = await this.#tokenizer.encode(missing);
    const tokenizeMs = performance.now() - started;
    const idsOf = new Map(tokenized.map(({ text, ids }) => [text, ids]));
    const span = trace.getActiveSpan()?.spanContext();
    const compute = async (ids: Int32Array, signal: AbortSignal): Promise<EncodedTokens> => {
      const input = { ids, vector: false, tokens: true };
      const work: EncodeWork = { kind: "encode", lane, flow, signal, input, ...(span ? { span } : {}) };
      const [ran] = this.#scheduler.submit([work]);
      return encodedTokens(await ran, tokenizeMs);
    };
    const encoded = texts.map(async (text, index) => {
      const packed = kept[index];
      if (packed) return { packed, tokenizeMs: 0, queueMs: 0, inferenceMs: 0 };
      const ids = idsOf.get(text);
      if (!ids) throw new Error("a text was not tokenised");
      if (skipCache) return compute(ids, signal);
      return this.#shared.join(`${lane} ${this.#store.key(text)}`, signal, async (shared) => {
        const encoded = await compute(ids, shared);
        // Not waited for: a cache never fails its caller, and the score is needed first.
        void this.#store.keep(text, encoded.packed);
        return encoded;
      });
    });
    // Whoever asked may have several to wait for when the first fails, and a rejection that nobody waits for ends the
    // process.
    for (const one of encoded) one.catch(() => {});
    return encoded;
  }
}

function encodedTokens(ran: RanOf<EncodeWork> | undefined, tokenizeMs: number): EncodedTokens {
  if (!ran?.output.tokens) throw new Error("a text has no token vectors");
  return { packed: ran.output.tokens, tokenizeMs, queueMs: ran.queueMs, inferenceMs: ran.inferenceMs };
}
