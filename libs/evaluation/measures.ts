/** Relevance of documents to one query: 0 is not relevant, higher is more so; one that is not listed is not relevant. */
export type Judgements = ReadonlyMap<string, number>;

/**
 * Normalised discounted cumulative gain of the first `k` documents, as trec_eval's ndcg_cut has it: the gain is the
 * judgement itself, the discount log2(rank + 1), and the ideal ranking is made of all judged documents.
 *
 * @param ranking document ids, best first; of an id that comes again only the first place counts
 * @returns 0 to 1; 0 where nothing is relevant
 */
export function ndcg(ranking: readonly string[], judgements: Judgements, k: number): number {
  const gains = first(ranking, k).map((id) => gain(judgements.get(id)));
  const ideal = [...judgements.values()].map(gain).sort((a, b) => b - a);
  const best = discountedSum(ideal.slice(0, k));
  return best === 0 ? 0 : discountedSum(gains) / best;
}

/** Share of the relevant documents that are among the first `k`; trec_eval's recall. 0 where nothing is relevant. */
export function recall(ranking: readonly string[], judgements: Judgements, k: number): number {
  const relevant = [...judgements.values()].filter((value) => value > 0).length;
  if (relevant === 0) return 0;
  return first(ranking, k).filter((id) => gain(judgements.get(id)) > 0).length / relevant;
}

/** One divided by the rank of the first relevant document, 0 where there is none; trec_eval's recip_rank. */
export function reciprocalRank(ranking: readonly string[], judgements: Judgements): number {
  const at = first(ranking, ranking.length).findIndex((id) => gain(judgements.get(id)) > 0);
  return at < 0 ? 0 : 1 / (at + 1);
}

function first(ranking: readonly string[], k: number): string[] {
  return [...new Set(ranking)].slice(0, k);
}

/** trec_eval takes a negative judgement, such as "spam", as not relevant. */
function gain(judgement: number | undefined): number {
  return Math.max(0, judgement ?? 0);
}

function discountedSum(gains: readonly number[]): number {
  return gains.reduce((sum, value, at) => sum + value / Math.log2(at + 2), 0);
}
