import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { invalidArgument } from "@headwater/errors";
import { resultCode, sqlite } from "@headwater/sqlite";
import type { Cache, CacheEntry } from "./cache.ts";
import { DamagedEntryError, DiskCacheFile } from "./disk-cache-file.ts";
import { portionsOf } from "./portions.ts";

export interface DiskCacheOptions {
  /** Made where it is not there. Several processes may share it. */
  readonly folder: string;
  /** Of the file, at least 1 MiB; its write-ahead log takes up to 16 MiB more. */
  readonly maxBytes: number;
  /**
   * Told of a failure, once until the disk works again. The cache goes on: without entries while the disk fails, with
   * a new file when the old one is damaged.
   */
  readonly onError?: (thrown: unknown) => void;
  /** Milliseconds within which a second use of an entry is not noted; default 60,000. Keeps reads from writing. */
  readonly touchIntervalMs?: number;
}

/** A pause of the event loop ends after so much: 2 to 3 ms. */
const portion = { entries: 512, bytes: 1024 * 1024 };
/** Entries dropped in one transaction. */
const evictionBatch = 32;
/** Uses that wait to be noted. More are forgotten: they only make eviction a little less fair. */
const maxPendingTouches = 4_096;
/** Milliseconds until a cache whose file could not be opened tries again. */
const reopenInterval = 30_000;
/** How often a write is tried while another process writes. */
const busyAttempts = 10;

/** A cache in a file, for values of 1 KB to some 100 KB that are dearer to compute than to read. */
export function openDiskCache(options: DiskCacheOptions): Cache {
  if (!(Number.isSafeInteger(options.maxBytes) && options.maxBytes >= 1024 * 1024)) {
    throw invalidArgument("HW_CACHE_SIZE_INVALID", "maxBytes of a disk cache must be at least 1 MiB.");
  }
  return new DiskCache(options);
}

class DiskCache implements Cache {
  readonly #options: DiskCacheOptions;
  readonly #path: string;
  readonly #touchInterval: number;
  readonly #touched = new Map<string, Uint8Array>();
  #file: DiskCacheFile | undefined;
  #nextOpening = 0;
  #failing = false;
  #closed = false;

  constructor(options: DiskCacheOptions) {
    this.#options = options;
    this.#path = join(options.folder, "cache.sqlite");
    this.#touchInterval = options.touchIntervalMs ?? 60_000;
    this.#attempt(() => this.#open());
  }

  async getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const found: (Uint8Array | undefined)[] = [];
    while (found.length < keys.length) {
      if (found.length > 0) await nextTurn();
      const wanted = keys.slice(found.length, found.length + portion.entries);
      found.push(...this.#getSome(wanted));
    }
    return found;
  }

  async setMany(entries: readonly CacheEntry[]): Promise<void> {
    // One that would drive out half of the others is not worth its place.
    const kept = entries.filter(({ value }) => value.byteLength <= this.#options.maxBytes / 2);
    for (const entriesOfPortion of portionsOf(kept, portion)) {
      await this.#write((file) => file.set(entriesOfPortion, Date.now()));
      await this.#noteUses();
      await this.#evict();
      await nextTurn();
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.#noteUses();
    this.#closed = true;
    this.#attempt(() => this.#file?.close());
    this.#file = undefined;
  }

  /** Answers at least one of the keys. */
  #getSome(keys: readonly string[]): (Uint8Array | undefined)[] {
    const entries = this.#attempt((file) => file?.getSome(keys, portion.bytes));
    if (!entries) return keys.map(() => undefined);
    const noteBefore = Date.now() - this.#touchInterval;
    for (const entry of entries) {
      if (entry && entry.used <= noteBefore && this.#touched.size < maxPendingTouches) {
        this.#touched.set(Buffer.from(entry.key).toString("base64"), entry.key);
      }
    }
    return entries.map((entry) => entry?.value);
  }

  async #noteUses(): Promise<void> {
    if (this.#touched.size === 0) return;
    const keys = [...this.#touched.values()];
    this.#touched.clear();
    await this.#write((file) => file.touch(keys, Date.now()));
  }

  async #evict(): Promise<void> {
    while (this.#attempt((file) => (file?.usedBytes ?? 0) > this.#options.maxBytes)) {
      const evicted = await this.#write((file) => file.evict(evictionBatch));
      if (!evicted) return;
      await nextTurn();
    }
  }

  /** @returns undefined where it could not be written */
  async #write<T>(work: (file: DiskCacheFile) => T): Promise<T | undefined> {
    for (let attempt = 1; attempt <= busyAttempts; attempt += 1) {
      let wasBusy = false;
      const result = this.#attempt((file) => {
        try {
          return file && work(file);
        } catch (thrown) {
          wasBusy = resultCode(thrown) === sqlite.busy;
          if (!wasBusy) throw thrown;
          return undefined;
        }
      });
      if (!wasBusy) return result;
      await sleep(2 + Math.random() * 8);
    }
    // Another process writes without a pause: the entries are forgotten, which a cache may do.
    return undefined;
  }

  /** Runs `work` with the file, or with undefined while there is none; a failure is reported and answered with undefined. */
  #attempt<T>(work: (file: DiskCacheFile | undefined) => T): T | undefined {
    try {
      if (!this.#file && !this.#closed && Date.now() >= this.#nextOpening) this.#open();
      const result = work(this.#file);
      if (this.#file) this.#failing = false;
      return result;
    } catch (thrown) {
      // Another process has the file for a moment: no failure.
      if (resultCode(thrown) !== sqlite.busy) this.#report(thrown);
      if (isDamage(thrown)) this.#startAnew();
      return undefined;
    }
  }

  #open(): void {
    this.#nextOpening = Date.now() + reopenInterval;
    mkdirSync(this.#options.folder, { recursive: true });
    this.#file ??= new DiskCacheFile(this.#path);
  }

  /** Sets the damaged file aside, for whoever wants to look at it; only the latest is kept. */
  #startAnew(): void {
    try {
      this.#file?.close();
      this.#file = undefined;
      for (const suffix of ["-wal", "-shm"]) rmSync(this.#path + suffix, { force: true });
      renameSync(this.#path, `${this.#path}.damaged`);
      this.#open();
    } catch (thrown) {
      this.#file = undefined;
      this.#report(thrown);
    }
  }

  #report(thrown: unknown): void {
    if (!this.#failing) this.#options.onError?.(thrown);
    this.#failing = true;
  }
}

function isDamage(thrown: unknown): boolean {
  const code = resultCode(thrown);
  return code === sqlite.corrupt || code === sqlite.notADatabase || thrown instanceof DamagedEntryError;
}
