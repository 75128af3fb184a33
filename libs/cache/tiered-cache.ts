import type { Cache, CacheEntry } from "./cache.ts";

export interface TieredCacheOptions {
  /**
   * Told of each look into a tier, for metrics.
   *
   * @param tier place in the list, from 0
   */
  readonly onLookup?: (tier: number, hits: number, misses: number) => void;
}

/**
 * Several caches as one. What a slower tier has is copied into the faster ones before it; what is set goes into all,
 * unless nobody has asked for it yet.
 *
 * @param tiers fastest first
 */
export function createTieredCache(tiers: readonly Cache[], options: TieredCacheOptions = {}): Cache {
  return {
    async getMany(keys) {
      const found = new Array<Uint8Array | undefined>(keys.length).fill(undefined);
      let missing = keys.map((key, place) => ({ key, place }));
      for (const [index, tier] of tiers.entries()) {
        if (missing.length === 0) break;
        const values = await tier.getMany(missing.map(({ key }) => key));
        const hits: CacheEntry[] = [];
        const stillMissing: typeof missing = [];
        for (const [i, wanted] of missing.entries()) {
          const value = values[i];
          if (value === undefined) {
            stillMissing.push(wanted);
            continue;
          }
          found[wanted.place] = value;
          hits.push({ key: wanted.key, value });
        }
        options.onLookup?.(index, hits.length, stillMissing.length);
        missing = stillMissing;
        if (hits.length > 0) await Promise.all(tiers.slice(0, index).map((faster) => faster.setMany(hits)));
      }
      return found;
    },
    async setMany(entries, keep) {
      const takers = keep?.unasked ? tiers.slice(-1) : tiers;
      await Promise.all(takers.map((tier) => tier.setMany(entries, keep)));
    },
    async close() {
      await Promise.all(tiers.map((tier) => tier.close()));
    },
  };
}
