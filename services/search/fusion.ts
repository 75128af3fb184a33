import type { Passage, ScoredPassage } from "@headwater/passage-index";

export interface Fusion {
  readonly method: "min-max" | "rrf";
  /** Share of the lexical list, 0 to 1; the vector list has the rest. */
  readonly lexicalWeight: number;
  /** Only for "rrf". */
  readonly rrfK: number;
}

/** The lists that were searched, best first; undefined: not searched, or the retriever was down. */
export interface RetrievedLists {
  readonly lexical: readonly ScoredPassage[] | undefined;
  readonly vector: readonly ScoredPassage[] | undefined;
  /** Passages that were asked of each list; a shorter list holds all that there are. */
  readonly limit: number;
}

type ListName = "lexical" | "vector";

/** What one list gave to a passage. */
export interface Share {
  readonly list: ListName;
  /** From 1; 0: not in the list. */
  readonly rank: number;
  /** The engine's own; 0 where it is not in the list. */
  readonly score: number;
  readonly weight: number;
  /** What the list adds to the fused score. */
  readonly share: number;
}

export interface FusedPassage {
  readonly passage: Passage;
  /** The sum of the shares. */
  readonly score: number;
  readonly shares: readonly Share[];
}

/**
 * One list out of two; best first, equal scores in order of passage id. Where only one list was searched it has all of
 * the weight. A passage that a list does not hold gets nothing from it: what it would have scored there is not known,
 * but is at most what the last of the list scored.
 *
 * @param refined the vector list in another order, from `refine`: its shares go by this one
 */
export function fuse(
  lists: RetrievedLists,
  fusion: Fusion,
  refined?: readonly ScoredPassage[],
): FusedPassage[] {
  const weights = { lexical: fusion.lexicalWeight, vector: 1 - fusion.lexicalWeight };
  const searched = (["lexical", "vector"] as const).flatMap((list) => {
    const hits = lists[list];
    if (!hits) return [];
    const ordered = (list === "vector" ? refined : undefined) ?? hits;
    const floor = list === "lexical" && hits.length < lists.limit ? 0 : (ordered.at(-1)?.score ?? 0);
    const gains = gainById(ordered, floor, fusion);
    return [{ list, places: placeById(hits), gains }];
  });
  const passages = new Map<string, Passage>();
  for (const { passage } of [...(lists.lexical ?? []), ...(lists.vector ?? [])]) {
    if (!passages.has(passage.id)) passages.set(passage.id, passage);
  }
  const fused: FusedPassage[] = [];
  for (const passage of passages.values()) {
    let score = 0;
    const shares = searched.map(({ list, places, gains }): Share => {
      const weight = searched.length === 1 ? 1 : weights[list];
      const place = places.get(passage.id);
      const share = weight * (gains.get(passage.id) ?? 0);
      score += share;
      return { list, rank: place?.rank ?? 0, score: place?.score ?? 0, weight, share };
    });
    fused.push({ passage, score, shares });
  }
  return fused.sort((a, b) => b.score - a.score || (a.passage.id < b.passage.id ? -1 : 1));
}

function placeById(hits: readonly ScoredPassage[]): Map<string, { rank: number; score: number }> {
  return new Map(hits.map(({ passage, score }, at) => [passage.id, { rank: at + 1, score }]));
}

/**
 * Reciprocal rank fusion (Cormack, Clarke, Büttcher, 2009), or scores scaled to 0..1.
 *
 * @param floor what a passage outside of the list scores at most: the last score of a list that was cut; 0 for words
 *   where all passages that have one of them are in the list, so that the last of two good matches still counts
 */
function gainById(hits: readonly ScoredPassage[], floor: number, fusion: Fusion): Map<string, number> {
  const top = hits[0]?.score ?? 0;
  return new Map(
    hits.map(({ passage, score }, at) => {
      if (fusion.method === "rrf") return [passage.id, 1 / (fusion.rrfK + at + 1)];
      // One score only: all of the list is its best.
      return [passage.id, top > floor ? (score - floor) / (top - floor) : 1];
    }),
  );
}
