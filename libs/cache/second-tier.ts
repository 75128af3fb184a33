import type { Cache } from "./cache.ts";
import type { DiskCacheOptions } from "./disk-cache.ts";
import { openDiskCache } from "./disk-cache.ts";
import { openRedisCache } from "./redis-cache.ts";
import type { CacheValues } from "./redis-settings.ts";
import { readRedisServer } from "./redis-settings.ts";

export interface SecondTierOptions {
  /** Keeps the caches of one installation apart. */
  readonly name: string;
  /** `maxBytes` 0: no disk tier. */
  readonly disk: Pick<DiskCacheOptions, "folder" | "maxBytes">;
  /** Told of a failure, once until the tier works again. */
  readonly onError: (thrown: unknown) => void;
}

/** What lies behind the memory of the process. */
export interface SecondTier {
  readonly kind: "redis" | "disk";
  readonly cache: Cache;
}

/**
 * Redis where HEADWATER_REDIS_URL names one, else the disk.
 *
 * @returns undefined where neither is wanted
 * @throws HeadwaterError FAILED_PRECONDITION where a file that a setting names cannot be read
 */
export async function openSecondTier(
  values: CacheValues,
  { name, disk, onError }: SecondTierOptions,
): Promise<SecondTier | undefined> {
  const url = values.HEADWATER_REDIS_URL;
  if (url !== undefined) {
    const cache = await openRedisCache({
      server: readRedisServer(url, values),
      prefix: `${values.HEADWATER_REDIS_PREFIX}${name}:`,
      ttlSeconds: values.HEADWATER_REDIS_TTL_S,
      timeoutMs: values.HEADWATER_REDIS_TIMEOUT_MS,
      onError,
    });
    return { kind: "redis", cache };
  }
  return disk.maxBytes > 0 ? { kind: "disk", cache: openDiskCache({ ...disk, onError }) } : undefined;
}
