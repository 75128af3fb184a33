import type { ScoredPassage } from "@headwater/passage-index";
import type { FusedPassage } from "./fusion.ts";

/** How many of the first hits are taken as relevant. With 5 and more, one that is not relevant is too often among them. */
const feedbackHits = 3;

/**
 * Orders the vector list anew, by a query vector that was moved towards the first fused hits: pseudo-relevance feedback
 * after Rocchio (1971), q' = q + weight * mean of the hits' vectors, on what the engine returned, so that it costs no
 * second search. What words and vectors agree upon says better than the query alone what was meant:
 * docs/decisions/0005-fusion.md has the figures.
 *
 * @param weight 1: as far as the query itself; 0.75 in the textbooks; 0: no feedback
 * @returns undefined where there is nothing to go by
 */
export function refine(
  query: Float32Array,
  hits: readonly ScoredPassage[],
  fused: readonly FusedPassage[],
  weight: number,
): ScoredPassage[] | undefined {
  const vectors = new Map(hits.flatMap(({ passage, vector }) => (vector ? [[passage.id, vector]] : [])));
  const feedback = fused.flatMap(({ passage }) => vectors.get(passage.id) ?? []).slice(0, feedbackHits);
  if (weight === 0 || feedback.length === 0 || vectors.size < hits.length) return undefined;
  const moved = Float32Array.from(query);
  for (const vector of feedback)
    for (const [at, value] of vector.entries())
      moved[at] = (moved[at] ?? 0) + (weight / feedback.length) * value;
  const length = Math.hypot(...moved) || 1;
  return hits
    .map((hit) => ({ ...hit, score: dot(moved, hit.vector ?? moved) / length }))
    .sort((a, b) => b.score - a.score || (a.passage.id < b.passage.id ? -1 : 1));
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}
