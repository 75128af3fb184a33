import type { Range } from "@headwater/text";
import type { CallOptions, Timings } from "../embedder.ts";

export interface RerankOptions extends CallOptions {
  /** Milliseconds after which what is known is returned; 0: none. */
  readonly budgetMs: number;
  /** True: `matches` are wanted. */
  readonly tokenScores?: boolean;
  /** Wanted are `answerOdds`: the number of each passage's text, of which neighbours are read together; none: no text. */
  readonly answersOf?: readonly number[];
}

export interface Reranked {
  /** One for each passage; undefined where the budget ran out before. Higher is better. */
  readonly scores: readonly (number | undefined)[];
  /** Of a reranker that matches token by token. */
  readonly matches?: TokenMatches;
  /** Of a reranker with an answer head: natural logarithms of odds; undefined where a passage has no score. */
  readonly answerOdds?: readonly (number | undefined)[];
  readonly timings: Timings;
}

/** What the tokens of the query add to the scores. */
export interface TokenMatches {
  /** Where each stands in the query; empty: one of the model's own. */
  readonly tokens: readonly Range[];
  /** Best cosine of each token, for each passage; undefined where the passage has no score. */
  readonly cosines: readonly (Float32Array | undefined)[];
}

/** Scores passages against a query; the first passages first, so that a budget goes to the best candidates. */
export interface Reranker {
  readonly name: "late-interaction" | "cross-encoder";
  /**
   * @param query not empty
   * @throws HeadwaterError HW_OVERLOADED; the signal's reason once it has fired
   */
  rerank(query: string, passages: readonly string[], options: RerankOptions): Promise<Reranked>;
}

/**
 * Waits for scores until the budget is used up.
 *
 * @param start begins the work; it gets a signal that fires when the caller has left or the budget is used up
 * @returns what is known by then
 */
export async function scoreWithin<Score>(
  { budgetMs, signal }: RerankOptions,
  start: (signal: AbortSignal) => Promise<readonly Promise<Score>[]>,
): Promise<(Score | undefined)[]> {
  const budget = new AbortController();
  const timer =
    budgetMs > 0
      ? setTimeout(
          () => budget.abort(new DOMException("the rerank budget is used up", "TimeoutError")),
          budgetMs,
        )
      : undefined;
  try {
    const either = AbortSignal.any([signal, budget.signal]);
    const scores = await start(either);
    const settled = await Promise.allSettled(scores);
    signal.throwIfAborted();
    return settled.map((score) => {
      if (score.status === "fulfilled") return score.value;
      if (budget.signal.aborted && score.reason === budget.signal.reason) return undefined;
      throw score.reason;
    });
  } finally {
    clearTimeout(timer);
  }
}
