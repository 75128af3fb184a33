import { hash } from "node:crypto";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import type { CacheEntry } from "./cache.ts";

/**
 * Row of an entry apart from its bytes: noting a use rewrites a row, and so does not rewrite the value.
 * `used` is the time of the last use that was noted, in Unix milliseconds.
 */
const schema = `
  CREATE TABLE IF NOT EXISTS entries (
    key BLOB PRIMARY KEY,
    content INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    used INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS entries_by_use ON entries (used, content);
  CREATE TABLE IF NOT EXISTS contents (id INTEGER PRIMARY KEY, value BLOB NOT NULL);
`;

/** Ten vectors of 1.5 KB fit a page of 16 KiB; in one of 4 KiB two do, and a quarter stays empty. */
const pageSize = 16_384;
/**
 * Pages in the write-ahead log after which they move into the file: 2 MB, which the processor's caches still hold. With
 * SQLite's 1,000 pages, 16 MB, an entry of 78 KB takes a fifth more processor time.
 */
const checkpointPages = 128;
/** Milliseconds that SQLite may block the event loop while another process writes. */
const busyTimeout = 5;

/** What a lookup found. */
export interface FoundEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly used: number;
}

/** value, checksum, used: an array, since naming the columns costs a quarter of the time of a lookup. */
type FoundRow = readonly [Uint8Array, number, number];

/** The SQLite file of a disk cache. Everything is synchronous: callers keep their portions small. */
export class DiskCacheFile {
  readonly #database: DatabaseSync;
  readonly #find: StatementSync;
  readonly #findContent: StatementSync;
  readonly #addContent: StatementSync;
  readonly #addEntry: StatementSync;
  readonly #oldest: StatementSync;
  readonly #removeContent: StatementSync;
  readonly #removeEntry: StatementSync;
  readonly #touch: StatementSync;
  readonly #pages: StatementSync;
  readonly #freePages: StatementSync;

  /** @throws the error of SQLite */
  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: busyTimeout });
    try {
      // A crash of the process costs nothing. A power cut may damage the file, as nothing is ever synced: that is found
      // by the checksums, and the cache begins anew. A sync would hold up the event loop for as long as the disk takes.
      this.#database.exec(`PRAGMA page_size=${pageSize}; PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF`);
      this.#database.exec("PRAGMA cache_size=-32768; PRAGMA journal_size_limit=16777216");
      this.#database.exec(`PRAGMA wal_autocheckpoint=${checkpointPages}`);
      this.#database.exec(schema);
      const prepare = (sql: string) => this.#database.prepare(sql);
      this.#find = prepare(
        `SELECT value, checksum, used FROM entries JOIN contents ON contents.id = entries.content WHERE key = ?`,
      );
      this.#find.setReturnArrays(true);
      this.#findContent = prepare("SELECT content FROM entries WHERE key = ?");
      this.#addContent = prepare("INSERT INTO contents (value) VALUES (?)");
      this.#addEntry = prepare(
        "INSERT OR REPLACE INTO entries (key, content, checksum, used) VALUES (?, ?, ?, ?)",
      );
      this.#oldest = prepare("SELECT key, content FROM entries ORDER BY used, content LIMIT ?");
      this.#removeContent = prepare("DELETE FROM contents WHERE id = ?");
      this.#removeEntry = prepare("DELETE FROM entries WHERE key = ?");
      this.#touch = prepare("UPDATE entries SET used = ? WHERE key = ?");
      this.#pages = prepare("PRAGMA page_count");
      this.#freePages = prepare("PRAGMA freelist_count");
    } catch (thrown) {
      this.#database.close();
      throw thrown;
    }
  }

  /** Bytes of the file that hold something. */
  get usedBytes(): number {
    const pages = Number(this.#pages.get()?.["page_count"]);
    const free = Number(this.#freePages.get()?.["freelist_count"]);
    return (pages - free) * pageSize;
  }

  /**
   * One lookup a key, in order, until more than `maxBytes` are found: the answer may be shorter than `keys`. In one
   * transaction, which saves a lock for each key.
   *
   * @throws DamagedEntryError where bytes are not those that were set
   */
  getSome(keys: readonly string[], maxBytes: number): (FoundEntry | undefined)[] {
    return this.#transaction("DEFERRED", () => {
      const found: (FoundEntry | undefined)[] = [];
      let bytes = 0;
      for (const key of keys) {
        const entry = this.#get(key);
        found.push(entry);
        bytes += entry?.value.byteLength ?? 0;
        if (bytes > maxBytes) break;
      }
      return found;
    });
  }

  set(entries: readonly CacheEntry[], now: number): void {
    this.#transaction("IMMEDIATE", () => {
      for (const { key, value } of entries) {
        const digest = digestOf(key);
        const former = this.#findContent.get(digest);
        if (former) this.#removeContent.run(Number(former["content"]));
        const { lastInsertRowid } = this.#addContent.run(value);
        this.#addEntry.run(digest, lastInsertRowid, crc32(value), now);
      }
    });
  }

  /** @param keys of found entries */
  touch(keys: readonly Uint8Array[], now: number): void {
    this.#transaction("IMMEDIATE", () => {
      for (const key of keys) this.#touch.run(now, key);
    });
  }

  /** Drops the least recently used; returns how many. */
  evict(count: number): number {
    return this.#transaction("IMMEDIATE", () => {
      const oldest = this.#oldest.all(count);
      for (const { key, content } of oldest) {
        if (content !== undefined) this.#removeContent.run(content);
        if (key !== undefined) this.#removeEntry.run(key);
      }
      return oldest.length;
    });
  }

  close(): void {
    this.#database.close();
  }

  #get(key: string): FoundEntry | undefined {
    const digest = digestOf(key);
    const row = this.#find.get(digest) as unknown as FoundRow | undefined;
    if (!row) return undefined;
    const [value, checksum, used] = row;
    if (!(value instanceof Uint8Array) || crc32(value) !== checksum) throw new DamagedEntryError();
    return { key: digest, value, used };
  }

  #transaction<T>(kind: "DEFERRED" | "IMMEDIATE", work: () => T): T {
    this.#database.exec(`BEGIN ${kind}`);
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (thrown) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw thrown;
    }
  }
}

export class DamagedEntryError extends Error {
  override readonly name = "DamagedEntryError";
  constructor() {
    super("An entry of the disk cache does not have the bytes that were stored.");
  }
}

/** Keys of any length as 128 bits of SHA-256: a small index, and no two keys of one cache ever meet. */
function digestOf(key: string): Uint8Array {
  return hash("sha256", key, "buffer").subarray(0, 16);
}
