import { join } from "node:path";
import type { Cache } from "@headwater/cache";
import { createMemoryCache, createTieredCache, openDiskCache } from "@headwater/cache";
import type { Telemetry } from "@headwater/telemetry";
import type { CacheName, EmbeddingMetrics } from "./metrics.ts";

export interface CacheSize {
  /** 0: no such tier. */
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

/**
 * Memory, then disk.
 *
 * @param folder of this cache alone
 */
export function openCache(
  kind: "vectors" | "token_vectors",
  folder: string,
  { memoryBytes, diskBytes }: CacheSize,
  metrics: EmbeddingMetrics,
  { log }: Telemetry,
): Cache {
  const tiers: { name: CacheName; cache: Cache }[] = [];
  if (memoryBytes > 0)
    tiers.push({ name: `${kind}_memory`, cache: createMemoryCache({ maxBytes: memoryBytes }) });
  if (diskBytes > 0) {
    const onError = (err: unknown) => log.warn({ err, cache: kind }, "the disk cache does not work");
    tiers.push({
      name: `${kind}_disk`,
      cache: openDiskCache({ folder: join(folder, kind), maxBytes: diskBytes, onError }),
    });
  }
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
