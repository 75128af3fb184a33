/**
 * Port: a bounded cache of bytes. It may forget anything at any time and never fails its caller: an adapter that
 * cannot be reached answers "not there" and reports it through `onError`.
 */
export interface Cache {
  /** One entry a key, in order; undefined where it is not there. The bytes must not be changed. */
  getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]>;
  /** Keeps entries until there is no more room; the least recently used go first. */
  setMany(entries: readonly CacheEntry[], options?: KeepOptions): Promise<void>;
  close(): Promise<void>;
}

export interface KeepOptions {
  /**
   * Nobody has asked for the entries yet. Of several tiers only the slowest takes them: in a fast one they would drive
   * out what is in use, long before most of them are.
   */
  readonly unasked?: boolean;
}

export interface CacheEntry {
  /** Holds whatever the value depends on, such as the model's fingerprint: a cache must not outlive its model. */
  readonly key: string;
  readonly value: Uint8Array;
}
