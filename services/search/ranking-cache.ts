import { LRUCache } from "lru-cache";
import type { RankedPassage } from "./reranker.ts";

/** What the pages of one search are cut from. */
export interface Ranking {
  readonly passages: readonly RankedPassage[];
  readonly reranked: boolean;
}

/** A reader of later pages is gone by then. */
const ttlMs = 10 * 60 * 1000;
/** What a passage takes beside its text, in bytes. */
const passageOverhead = 600;

/**
 * Rankings of recent searches, so that a next page costs no new search, and neither repeats nor skips a hit although
 * documents were written since. A page whose ranking is gone, or was made by another process, is searched for again.
 */
export class RankingCache {
  readonly #rankings: LRUCache<string, Ranking>;

  constructor(maxBytes: number) {
    this.#rankings = new LRUCache({
      maxSize: maxBytes,
      ttl: ttlMs,
      sizeCalculation: ({ passages }) =>
        passages.reduce((sum, { passage }) => sum + 2 * passage.text.length + passageOverhead, 1),
    });
  }

  get(hash: string, generation: string, reranked: boolean): Ranking | undefined {
    return this.#rankings.get(`${hash}/${generation}/${reranked}`);
  }

  set(hash: string, generation: string, ranking: Ranking): void {
    this.#rankings.set(`${hash}/${generation}/${ranking.reranked}`, ranking);
  }
}
