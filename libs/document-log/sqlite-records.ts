import { invalidArgument } from "@headwater/errors";
import type { SqliteDatabase } from "@headwater/sqlite";
import type { LogPosition, LogRecord, NewLogRecord } from "./document-log.ts";
import { partitionOf } from "./partitioner.ts";
import { partitionStride } from "./sqlite-schema.ts";

/** What JSON and the columns around a value cost, about, in bytes. */
const rowOverhead = 64;

interface RecordRow {
  readonly id: number;
  readonly timestamp: number;
  readonly key: Uint8Array;
  readonly headers: string;
  readonly value: Uint8Array | null;
}

/** The records of all partitions. */
export class SqliteRecords {
  readonly #database: SqliteDatabase;
  readonly #partitions: number;
  readonly #maxRecordBytes: number;

  constructor(database: SqliteDatabase, options: { partitions: number; maxRecordBytes: number }) {
    this.#database = database;
    this.#partitions = options.partitions;
    this.#maxRecordBytes = options.maxRecordBytes;
  }

  append(records: readonly NewLogRecord[]): Promise<LogPosition[]> {
    const rows = records.map((record) => this.#encode(record));
    const bytes = rows.reduce((sum, row) => sum + (row.value?.length ?? 0) + row.key.length + rowOverhead, 0);
    return this.#database.write(
      () => {
        const timestamp = Date.now();
        return rows.map(({ partition, key, headers, value }) => {
          const offset = this.takeOffset(partition);
          this.#database
            .statement("INSERT INTO records (id, timestamp, key, headers, value) VALUES (?, ?, ?, ?, ?)")
            .run(partition * partitionStride + offset, timestamp, key, headers, value);
          return { partition, offset };
        });
      },
      { bytes },
    );
  }

  /** The offset for the next record of a partition, which it takes; inside a write. */
  takeOffset(partition: number): number {
    const row = this.#database
      .statement("UPDATE partitions SET end_offset = end_offset + 1 WHERE partition = ? RETURNING end_offset")
      .get(partition);
    return Number(row?.["end_offset"]) - 1;
  }

  endOffset(partition: number): number {
    const sql = "SELECT end_offset FROM partitions WHERE partition = ?";
    return this.#database.read(() =>
      Number(this.#database.statement(sql).get(partition)?.["end_offset"] ?? 0),
    );
  }

  /** From `offset` on, in order; at least one record where there is one. */
  read(partition: number, offset: number, limits: { maxRecords: number; maxBytes: number }): LogRecord[] {
    return this.#database.read(() => {
      const base = partition * partitionStride;
      const rows = this.#database
        .statement(
          `SELECT id, timestamp, key, headers, value FROM records
           WHERE id >= ? AND id < ? ORDER BY id LIMIT ?`,
        )
        .iterate(base + offset, base + partitionStride, limits.maxRecords);
      const records: LogRecord[] = [];
      let bytes = 0;
      for (const row of rows as Iterable<unknown> as Iterable<RecordRow>) {
        records.push({
          partition,
          offset: row.id - base,
          timestamp: row.timestamp,
          ...decode(row),
        });
        bytes += row.value?.length ?? 0;
        if (bytes >= limits.maxBytes) break;
      }
      return records;
    });
  }

  #encode(record: NewLogRecord) {
    if (record.key === "" || !record.key.isWellFormed()) {
      throw invalidArgument("HW_LOG_KEY_INVALID", "The key of a record is empty or not valid Unicode.");
    }
    const size = record.value?.length ?? 0;
    if (size > this.#maxRecordBytes) {
      throw invalidArgument(
        "HW_LOG_RECORD_TOO_LARGE",
        `A record has ${size} bytes; the document log takes at most ${this.#maxRecordBytes}.`,
        "Store the bytes as a blob and append a reference to it.",
      );
    }
    return {
      partition: partitionOf(record.key, this.#partitions),
      key: Buffer.from(record.key, "utf8"),
      headers: JSON.stringify(record.headers),
      value: record.value,
    };
  }
}

/** The columns of a record that are the same in every table. */
export function decode(row: Pick<RecordRow, "key" | "headers" | "value">): NewLogRecord {
  return {
    key: Buffer.from(row.key.buffer, row.key.byteOffset, row.key.byteLength).toString("utf8"),
    headers: JSON.parse(row.headers) as Record<string, string>,
    value: row.value,
  };
}
