import { HeadwaterError, status } from "@headwater/errors";
import { embeddingText } from "@headwater/passage-index";
import type { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import type { RpcClient } from "@headwater/rpc";
import type { FusedPassage } from "./fusion.ts";

/** A passage in its final place. */
export interface RankedPassage extends FusedPassage {
  /** What the final order goes by: never rises from one hit to the next. */
  readonly finalScore: number;
  /** The reranker's own; undefined where it did not score the passage. */
  readonly rerankScore: number | undefined;
}

export interface Reranking {
  readonly passages: readonly RankedPassage[];
  /** False: the budget ran out before all of the first ones were scored. */
  readonly complete: boolean;
}

/** Share of the reranker in the order of the passages that it scored; the fused score has the rest. */
const rerankWeight = 0.2;
/** What the network and the encoding of an answer may take beyond the worker's own budget, in milliseconds. */
const graceMs = 250;

export class Reranker {
  readonly #client: RpcClient<EmbeddingServiceDefinition>;

  constructor(client: RpcClient<EmbeddingServiceDefinition>) {
    this.#client = client;
  }

  /**
   * Puts the first `depth` passages into a new order; the rest stay behind them as they are.
   *
   * @throws HeadwaterError also when the budget runs out before anything is known
   */
  async rerank(
    query: string,
    fused: readonly FusedPassage[],
    options: { depth: number; budgetMs: number },
    signal: AbortSignal,
  ): Promise<Reranking> {
    const head = fused.slice(0, options.depth);
    const response = await this.#client.call.rerank(
      { query, passages: head.map(({ passage }) => embeddingText(passage)), budgetMs: options.budgetMs },
      { signal, deadline: options.budgetMs + graceMs },
    );
    const scores = head.map((_, at) => {
      const known = response.scores[at];
      return known?.scored ? known.score : undefined;
    });
    if (head.length > 0 && scores.every((score) => score === undefined)) throw budgetExhausted();
    return {
      passages: [...blend(head, scores), ...fused.slice(options.depth).map(unranked)],
      complete: !scores.includes(undefined),
    };
  }
}

/** The order of the fused scores, as a ranking. */
export function unranked(fused: FusedPassage): RankedPassage {
  return { ...fused, finalScore: fused.score, rerankScore: undefined };
}

/**
 * Orders passages by a weighted sum of their fused score, as a share of the best one, and their rerank score, scaled to
 * 0..1 because a reranker's scale is its own. A passage that was not scored in time counts as if the reranker agreed
 * with the fusion. The result is put back into the range of the fused scores, so that the passages behind these stay
 * behind them by score too.
 */
export function blend(
  head: readonly FusedPassage[],
  scores: readonly (number | undefined)[],
): RankedPassage[] {
  const top = head[0]?.score ?? 0;
  const bottom = head.at(-1)?.score ?? 0;
  const known = scores.filter((score) => score !== undefined);
  const least = Math.min(...known);
  const span = Math.max(...known) - least;
  return head
    .map((fused, at) => {
      const rerankScore = scores[at];
      const own = top > 0 ? fused.score / top : 1;
      const other = rerankScore === undefined ? own : span > 0 ? (rerankScore - least) / span : 0;
      const blended = rerankWeight * other + (1 - rerankWeight) * own;
      return { blended, ranked: { ...fused, rerankScore, finalScore: bottom + blended * (top - bottom) } };
    })
    .sort((a, b) => b.blended - a.blended || (a.ranked.passage.id < b.ranked.passage.id ? -1 : 1))
    .map(({ ranked }) => ranked);
}

export function budgetExhausted(): HeadwaterError {
  return new HeadwaterError({
    code: status.DEADLINE_EXCEEDED,
    reason: "HW_RERANK_BUDGET_EXHAUSTED",
    message: "The rerank's budget ran out; hits that it did not score are in fused order.",
    action: "Raise the budget, or rerank fewer hits.",
  });
}
