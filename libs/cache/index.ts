export type { Cache, CacheEntry } from "./cache.ts";
export type { DiskCacheOptions } from "./disk-cache.ts";
export { openDiskCache } from "./disk-cache.ts";
export { createMemoryCache } from "./memory-cache.ts";
export type { TieredCacheOptions } from "./tiered-cache.ts";
export { createTieredCache } from "./tiered-cache.ts";
