/**
 * Port: a bounded cache of bytes. It may forget anything at any time and never fails its caller: an adapter that
 * cannot be reached answers "not there" and reports it through `onError`.
 */
export interface Cache {
  /** One entry a key, in order; undefined where it is not there. The bytes must not be changed. */
  getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]>;
  /** Keeps entries until there is no more room; the least recently used go first. */
  setMany(entries: readonly CacheEntry[]): Promise<void>;
  close(): Promise<void>;
}

export interface CacheEntry {
  /** Holds whatever the value depends on, such as the model's fingerprint: a cache must not outlive its model. */
  readonly key: string;
  readonly value: Uint8Array;
}
