import type { SqliteOwner } from "@headwater/sqlite";
import { SqliteDatabase } from "@headwater/sqlite";

/**
 * Keys as bytes: SQLite compares text up to its first NUL. Contents in a table of their own rows, so that looking for
 * a key does not read them.
 */
const schema = `
  CREATE TABLE IF NOT EXISTS blobs (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, content BLOB NOT NULL);
`;

const owner: SqliteOwner = {
  name: "blob store",
  folder: "blobs/",
  reasons: {
    corrupt: "HW_BLOBS_CORRUPT",
    busy: "HW_BLOBS_BUSY",
    gone: "HW_BLOBS_UNREACHABLE",
    closed: "HW_BLOBS_CLOSED",
    formatNewer: "HW_BLOBS_FORMAT_NEWER",
  },
};

/** Keys read at one time; the event loop stands still for about 1 ms. */
const pageKeys = 1_000;
/** Pages of 4 KiB: with more than `free` of them empty, a deletion gives `givenBack` to the file system, in 1 ms. */
const pages = { free: 4_096, givenBack: 64 };

/** Blobs in one SQLite file: those that are put at one time are made durable by one sync of the disk. */
export class SmallBlobs {
  readonly #database: SqliteDatabase;

  private constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  /** @throws HeadwaterError */
  static async open(file: string): Promise<SmallBlobs> {
    return new SmallBlobs(await SqliteDatabase.open(file, schema, owner));
  }

  async put(key: string, content: Uint8Array): Promise<void> {
    const sql = `INSERT INTO blobs (key, content) VALUES (?, ?)
      ON CONFLICT (key) DO UPDATE SET content = excluded.content`;
    await this.#database.write(() => this.#database.statement(sql).run(Buffer.from(key), content), {
      bytes: content.byteLength,
    });
  }

  get(key: string): Uint8Array | undefined {
    return this.#one("SELECT content AS value FROM blobs WHERE key = ?", key) as Uint8Array | undefined;
  }

  /** Bytes of a blob; undefined where it is not there. */
  size(key: string): number | undefined {
    return this.#one("SELECT length(content) AS value FROM blobs WHERE key = ?", key) as number | undefined;
  }

  async delete(key: string): Promise<void> {
    await this.#database.write(() => {
      this.#database.statement("DELETE FROM blobs WHERE key = ?").run(Buffer.from(key));
      if (this.#database.freePages > pages.free) this.#database.givePagesBack(pages.givenBack);
    });
  }

  *keys(prefix: string): Generator<string> {
    const first = Buffer.from(prefix);
    let from: Uint8Array = first;
    for (let comparison = ">="; ; comparison = ">") {
      const sql = `SELECT key FROM blobs WHERE key ${comparison} ? ORDER BY key LIMIT ${pageKeys}`;
      const rows = this.#database.read(() => this.#database.statement(sql).all(from));
      for (const { key } of rows) {
        const bytes = Buffer.from(key as Uint8Array);
        if (!bytes.subarray(0, first.length).equals(first)) return;
        yield bytes.toString("utf8");
        from = bytes;
      }
      if (rows.length < pageKeys) return;
    }
  }

  /** @throws HeadwaterError UNAVAILABLE */
  async checkHealth(): Promise<void> {
    await this.#database.checkHealth(() =>
      this.#database.statement("DELETE FROM blobs WHERE key = ?").run(new Uint8Array()),
    );
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  #one(sql: string, key: string): unknown {
    return this.#database.read(() => this.#database.statement(sql).get(Buffer.from(key))?.["value"]);
  }
}
