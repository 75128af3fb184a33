import { invalidArgument } from "@headwater/errors";
import { LRUCache } from "lru-cache";
import type { Cache } from "./cache.ts";

/** Bytes of an entry besides key and value: the array's header and the bookkeeping of the LRU list, about. */
const entryOverhead = 200;

/**
 * A cache in the process's memory.
 *
 * @param options.maxBytes for keys, values and bookkeeping together; a value that is larger is not kept
 */
export function createMemoryCache(options: { maxBytes: number }): Cache {
  const { maxBytes } = options;
  if (!(Number.isSafeInteger(maxBytes) && maxBytes > 0)) {
    throw invalidArgument("HW_CACHE_SIZE_INVALID", "maxBytes of a cache must be a whole number above 0.");
  }
  const entries = new LRUCache<string, Uint8Array>({
    maxSize: maxBytes,
    sizeCalculation: (value, key) => value.byteLength + 2 * key.length + entryOverhead,
  });
  return {
    async getMany(keys) {
      return keys.map((key) => entries.get(key));
    },
    async setMany(added) {
      // A copy: a view would keep the whole buffer of its batch alive, which the limit does not count.
      for (const { key, value } of added) entries.set(key, new Uint8Array(value));
    },
    async close() {
      entries.clear();
    },
  };
}
