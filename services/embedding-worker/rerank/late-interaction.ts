import { slowest } from "../embedder.ts";
import type { InContext } from "../inference/job.ts";
import { meanMatch } from "../inference/max-sim.ts";
import type { Engine } from "../inference/thread-pool.ts";
import type { TextTokenizer } from "../model/tokenizer.ts";
import type { Reranked, Reranker, RerankOptions } from "./reranker.ts";
import { scoreWithin } from "./reranker.ts";
import type { EncodedTokens, TokenEncoder } from "./token-encoder.ts";

export interface LateInteractionOptions {
  readonly tokenEncoder: TokenEncoder;
  readonly tokenizer: TextTokenizer;
  readonly engine: Engine;
  readonly passagePrefix: string;
  /** False: the engine cannot tell what answers, and is not asked. */
  readonly answerHead: boolean;
}

/** Passages in one job: few messages to a thread, and enough jobs for several threads. */
const passagesPerJob = 8;

interface Scored {
  /** Best cosine of each token of the query. */
  readonly matches: Float32Array;
  /** Undefined where they were not asked for. */
  readonly odds: number | undefined;
}

interface Waiting {
  readonly sentence: InContext;
  resolve(scored: Scored): void;
  reject(reason: unknown): void;
}

/** Reranks with the encoder alone: see `MaxSim`; where asked to, tells what answers too: see `AnswerHead`. */
export class LateInteraction implements Reranker {
  readonly name = "late-interaction";
  readonly #options: LateInteractionOptions;

  constructor(options: LateInteractionOptions) {
    this.#options = options;
  }

  async rerank(query: string, passages: readonly string[], options: RerankOptions): Promise<Reranked> {
    const { tokenEncoder, tokenizer, engine, passagePrefix, answerHead } = this.#options;
    const texts = answerHead ? options.answersOf : undefined;
    const encoded: EncodedTokens[] = [];
    const scored = await scoreWithin(options, async (signal) => {
      const call = { ...options, signal };
      const prefixed = passages.map((passage) => passagePrefix + passage);
      const [[queryTokens], passageTokens] = await Promise.all([
        // Without the query's prefix: its words would be looked for in the passages, and count as much as the query's
        // (nDCG@10 with it: 0.576 and 0.827 on Cranfield and MED, without: 0.580 and 0.838).
        tokenEncoder.encode([query], "query", call),
        tokenEncoder.encode(prefixed, "rerank", call),
      ]);
      const scorer = new Scorer(engine, texts !== undefined);
      const neighbour = (index: number, other: number) =>
        texts?.[index] !== undefined && texts[index] === texts[other] ? passageTokens[other] : undefined;
      return passageTokens.map(async (waiting, index) => {
        const [own, query, before, after] = await Promise.all([
          waiting,
          queryTokens,
          neighbour(index, index - 1),
          neighbour(index, index + 1),
        ]);
        if (!query) throw new Error("the query has no token vectors");
        encoded.push(own, query);
        const sentence = { before: before?.packed, own: own.packed, after: after?.packed };
        return scorer.score(query.packed, sentence);
      });
    });
    const scores = scored.map((one) => one && meanMatch(one.matches));
    const tokenizeMs = Math.max(0, ...encoded.map((one) => one.tokenizeMs));
    const timings = { tokenizeMs, ...slowest(encoded) };
    const cosines = scored.map((one) => one?.matches);
    return {
      scores,
      ...(options.tokenScores ? { matches: { tokens: await tokenizer.ranges(query), cosines } } : {}),
      ...(texts ? { answerOdds: scored.map((one) => one?.odds) } : {}),
      timings,
    };
  }
}

/** Scores passages of one query; those that are ready in the same turn of the event loop go together. */
class Scorer {
  readonly #engine: Engine;
  readonly #answers: boolean;
  #waiting: Waiting[] = [];

  /** @param answers whether the odds of an answer are wanted */
  constructor(engine: Engine, answers: boolean) {
    this.#engine = engine;
    this.#answers = answers;
  }

  score(query: Uint8Array, sentence: InContext): Promise<Scored> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#flush(query));
      this.#waiting.push({ sentence, resolve, reject });
    });
  }

  #flush(query: Uint8Array): void {
    const ready = this.#waiting;
    this.#waiting = [];
    for (let at = 0; at < ready.length; at += passagesPerJob)
      void this.#run(query, ready.slice(at, at + passagesPerJob));
  }

  async #run(query: Uint8Array, ready: readonly Waiting[]): Promise<void> {
    try {
      const sentences = ready.map(({ sentence }) => sentence);
      const passages = sentences.map(({ own }) => own);
      const [matched, answered] = await Promise.all([
        this.#engine.run<"max-sim">({ kind: "max-sim", query, passages }, true),
        this.#answers
          ? this.#engine.run<"answer-odds">({ kind: "answer-odds", question: query, sentences }, true)
          : undefined,
      ]);
      for (const [index, { resolve }] of ready.entries()) {
        const matches = matched.outputs[index] ?? new Float32Array();
        resolve({ matches, odds: answered?.outputs[index] });
      }
    } catch (thrown) {
      for (const { reject } of ready) reject(thrown);
    }
  }
}
