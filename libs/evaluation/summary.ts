import type { Judgements } from "./measures.ts";
import { ndcg, recall, reciprocalRank } from "./measures.ts";

/** Means over the queries of a collection. */
export interface MeanMeasures {
  readonly ndcg10: number;
  readonly recall100: number;
  readonly mrr: number;
  /** Queries that were counted. */
  readonly queries: number;
}

/**
 * @param rankings document ids by query id, best first; a query without a ranking counts as one that found nothing
 * @param judgements by query id; a query to which no document is relevant says nothing of a ranking and is left out
 */
export function summarize(
  rankings: ReadonlyMap<string, readonly string[]>,
  judgements: ReadonlyMap<string, Judgements>,
): MeanMeasures {
  const sums = { ndcg10: 0, recall100: 0, mrr: 0 };
  let queries = 0;
  for (const [query, judged] of judgements) {
    if (![...judged.values()].some((value) => value > 0)) continue;
    const ranking = rankings.get(query) ?? [];
    queries += 1;
    sums.ndcg10 += ndcg(ranking, judged, 10);
    sums.recall100 += recall(ranking, judged, 100);
    sums.mrr += reciprocalRank(ranking, judged);
  }
  const count = Math.max(1, queries);
  return {
    ndcg10: sums.ndcg10 / count,
    recall100: sums.recall100 / count,
    mrr: sums.mrr / count,
    queries,
  };
}
