import type { CacheEntry } from "./cache.ts";

/** Cuts entries into portions within both bounds; one that is larger than the bytes goes alone. */
export function* portionsOf(
  entries: readonly CacheEntry[],
  bounds: { readonly entries: number; readonly bytes: number },
): Generator<CacheEntry[]> {
  let current: CacheEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (
      current.length > 0 &&
      (current.length >= bounds.entries || bytes + entry.value.byteLength > bounds.bytes)
    ) {
      yield current;
      current = [];
      bytes = 0;
    }
    current.push(entry);
    bytes += entry.value.byteLength;
  }
  if (current.length > 0) yield current;
}
