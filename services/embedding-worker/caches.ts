import { join } from "node:path";
import type { Cache, CacheValues } from "@headwater/cache";
import { createMemoryCache, createTieredCache, openSecondTier } from "@headwater/cache";
import type { Telemetry } from "@headwater/telemetry";
import type { CacheName, EmbeddingMetrics } from "./metrics.ts";

export interface CacheSize {
  /** 0: no such tier. */
  readonly memoryBytes: number;
  /** Of a disk tier; 0: none. */
  readonly diskBytes: number;
}

export interface OpenCacheOptions {
  /** Of all caches; each has one of its own below. */
  readonly folder: string;
  readonly size: CacheSize;
  readonly settings: CacheValues;
  readonly metrics: EmbeddingMetrics;
  readonly telemetry: Telemetry;
}

/** Memory, then Redis where there is one, else the disk. */
export async function openCache(
  kind: "vectors" | "token_vectors",
  { folder, size, settings, metrics, telemetry }: OpenCacheOptions,
): Promise<Cache> {
  const tiers: { name: CacheName; cache: Cache }[] = [];
  if (size.memoryBytes > 0)
    tiers.push({ name: `${kind}_memory`, cache: createMemoryCache({ maxBytes: size.memoryBytes }) });
  const second = await openSecondTier(settings, {
    name: kind,
    disk: { folder: join(folder, kind), maxBytes: size.diskBytes },
    onError: (err) => telemetry.log.warn({ err, cache: kind }, "the second tier of the cache does not work"),
  });
  if (second) tiers.push({ name: `${kind}_${second.kind}`, cache: second.cache });
  return createTieredCache(
    tiers.map(({ cache }) => cache),
    {
      onLookup(tier, hits, misses) {
        const cache = tiers[tier]?.name;
        if (cache === undefined) return;
        metrics.cacheHits.inc({ cache }, hits);
        metrics.cacheMisses.inc({ cache }, misses);
      },
    },
  );
}
