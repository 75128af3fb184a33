import { invalidArgument } from "@headwater/errors";
import type { SqliteDatabase } from "@headwater/sqlite";
import type { DeadLetter, DeadLetterFailure, DeadLetterPage, LogRecord } from "./document-log.ts";
import { parseRecordKey } from "./document-log.ts";
import { firstAppendedHeader } from "./replay-headers.ts";
import type { SqliteRecords } from "./sqlite-records.ts";
import { decode } from "./sqlite-records.ts";
import { partitionStride } from "./sqlite-schema.ts";

/** Letters replayed in one transaction: some 10 ms. */
const replayBatch = 256;
/** Digits of an id, so that ids sort as text; 16 hold every safe integer. */
const idDigits = 16;

interface DeadLetterRow {
  readonly id: number;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly failed_at: number;
  readonly stage: string;
  readonly reason: string;
  readonly message: string;
  readonly attempts: number;
  readonly key: Uint8Array;
  readonly headers: string;
  readonly value: Uint8Array | null;
}

/** Records that were given up, with a copy of each, so that they outlive the retention of the log. */
export class SqliteDeadLetters {
  readonly #database: SqliteDatabase;
  readonly #records: SqliteRecords;

  constructor(database: SqliteDatabase, records: SqliteRecords) {
    this.#database = database;
    this.#records = records;
  }

  /** A record given up again (its consumer died before it committed) replaces its earlier letter. */
  add(record: LogRecord, failure: DeadLetterFailure): Promise<void> {
    return this.#database.write(
      () => {
        this.#database
          .statement(
            `INSERT OR REPLACE INTO dead_letters (tenant, partition, offset, timestamp, failed_at, stage, reason,
               message, attempts, key, headers, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          )
          .run(
            parseRecordKey(record.key)?.tenant ?? "",
            record.partition,
            record.offset,
            record.timestamp,
            Date.now(),
            failure.stage,
            failure.reason,
            failure.message,
            failure.attempts,
            Buffer.from(record.key, "utf8"),
            JSON.stringify(record.headers),
            record.value,
          );
      },
      { bytes: record.value?.length ?? 0 },
    );
  }

  list(query: { tenant?: string; limit: number; after?: string }): DeadLetterPage {
    if (!(query.limit >= 1)) throw invalidArgument("HW_LIMIT_INVALID", "limit must be at least 1.");
    const before = query.after === undefined ? Number.MAX_SAFE_INTEGER : idOf(query.after);
    if (before === undefined) {
      throw invalidArgument("HW_PAGE_TOKEN_INVALID", "The page token is not one that a list has given.");
    }
    return this.#database.read(() => {
      const columns = `SELECT id, partition, offset, timestamp, failed_at, stage, reason, message, attempts, key,
        headers, value FROM dead_letters`;
      const rows =
        query.tenant === undefined
          ? this.#database
              .statement(`${columns} WHERE id < ? ORDER BY id DESC LIMIT ?`)
              .all(before, query.limit + 1)
          : this.#database
              .statement(`${columns} WHERE tenant = ? AND id < ? ORDER BY id DESC LIMIT ?`)
              .all(query.tenant, before, query.limit + 1);
      const letters = (rows as unknown as DeadLetterRow[]).map(deadLetterOf);
      const more = letters.length > query.limit;
      const deadLetters = more ? letters.slice(0, query.limit) : letters;
      return { deadLetters, next: more ? deadLetters.at(-1)?.id : undefined };
    });
  }

  count(tenant: string | undefined): number {
    return this.#database.read(() => {
      const row =
        tenant === undefined
          ? this.#database.statement("SELECT count(*) AS letters FROM dead_letters").get()
          : this.#database
              .statement("SELECT count(*) AS letters FROM dead_letters WHERE tenant = ?")
              .get(tenant);
      return Number(row?.["letters"]);
    });
  }

  /**
   * Oldest first, so that a key's records keep their order. Each letter becomes a record in one transaction; many
   * letters take several, so that the event loop and other processes get their turn.
   */
  async replay(query: { tenant: string; ids?: readonly string[] }): Promise<number> {
    const wanted = query.ids?.flatMap((id) => idOf(id) ?? []) ?? this.#idsOf(query.tenant);
    const ids = wanted.sort((a, b) => a - b);
    let replayed = 0;
    for (let at = 0; at < ids.length; at += replayBatch) {
      const batch = ids.slice(at, at + replayBatch);
      replayed += await this.#database.write(
        () => batch.filter((id) => this.#replayOne(query.tenant, id)).length,
      );
    }
    return replayed;
  }

  #idsOf(tenant: string): number[] {
    return this.#database.read(() =>
      this.#database
        .statement("SELECT id FROM dead_letters WHERE tenant = ? ORDER BY id")
        .all(tenant)
        .map((row) => Number(row["id"])),
    );
  }

  /** The bytes go from table to table inside SQLite. */
  #replayOne(tenant: string, id: number): boolean {
    const letter = this.#database
      .statement("SELECT partition FROM dead_letters WHERE id = ? AND tenant = ?")
      .get(id, tenant);
    if (!letter) return false;
    const partition = Number(letter["partition"]);
    this.#database
      .statement(
        `INSERT INTO records (id, timestamp, key, headers, value)
         SELECT ?, ?, key, json_insert(headers, ?, CAST(timestamp AS TEXT)), value FROM dead_letters WHERE id = ?`,
      )
      .run(
        partition * partitionStride + this.#records.takeOffset(partition),
        Date.now(),
        `$."${firstAppendedHeader}"`,
        id,
      );
    this.#database.statement("DELETE FROM dead_letters WHERE id = ?").run(id);
    return true;
  }
}

/** undefined where the text is no id. */
function idOf(text: string): number | undefined {
  return /^\d{16}$/.test(text) ? Number(text) : undefined;
}

function deadLetterOf(row: DeadLetterRow): DeadLetter {
  const { id, partition, offset, timestamp, failed_at, stage, reason, message, attempts } = row;
  return {
    id: String(id).padStart(idDigits, "0"),
    stage,
    reason,
    message,
    attempts,
    failedAt: failed_at,
    record: { partition, offset, timestamp, ...decode(row) },
  };
}
