import { HeadwaterError } from "@headwater/errors";
import type { SqliteDatabase } from "@headwater/sqlite";
import { partitionStride } from "./sqlite-schema.ts";

/** Milliseconds between two looks for records to drop. */
const interval = 30_000;
/** Records dropped in one transaction, and pages of 4 KiB given back to the disk in one: some 5 ms each. */
const batch = { records: 500, pages: 1_000 };

interface PartitionRow {
  readonly partition: number;
  readonly start_offset: number;
  readonly committed_offset: number;
}

/** Drops records that all groups have committed past, once they are old enough, so that the disk stays bounded. */
export class SqliteRetention {
  readonly #database: SqliteDatabase;
  readonly #retentionMs: number;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(
    database: SqliteDatabase,
    options: { retentionMs: number; onError: (error: HeadwaterError) => void },
  ) {
    this.#database = database;
    this.#retentionMs = options.retentionMs;
    this.#timer = setInterval(
      () => {
        this.#running ??= this.#trim()
          .catch((thrown: unknown) => options.onError(HeadwaterError.from(thrown)))
          .finally(() => {
            this.#running = undefined;
          });
      },
      Math.min(interval, Math.max(100, options.retentionMs)),
    );
    this.#timer.unref();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  async #trim(): Promise<void> {
    for (const { partition } of this.#trimmable()) {
      let dropped = batch.records;
      while (dropped === batch.records && !this.#closed) {
        dropped = await this.#database.write(() => this.#dropBatch(partition), { durable: false });
      }
    }
    while (!this.#closed && this.#database.read(() => this.#database.freePages) > 0) {
      await this.#database.write(() => this.#database.givePagesBack(batch.pages), { durable: false });
    }
  }

  /** Partitions in which every group has moved past the first record that is kept; none while there is no group. */
  #trimmable(): PartitionRow[] {
    return this.#database.read(
      () =>
        this.#database
          .statement(
            `SELECT p.partition, p.start_offset, min(g.committed_offset) AS committed_offset
             FROM partitions p JOIN group_partitions g ON g.partition = p.partition
             GROUP BY p.partition HAVING min(g.committed_offset) > p.start_offset`,
          )
          .all() as unknown as PartitionRow[],
    );
  }

  #dropBatch(partition: number): number {
    // Read anew: another process may have trimmed, or a new group may have subscribed.
    const row = this.#trimmable().find((candidate) => candidate.partition === partition);
    if (!row) return 0;
    const base = partition * partitionStride;
    const candidates = this.#database
      .statement("SELECT id, timestamp FROM records WHERE id >= ? AND id < ? ORDER BY id LIMIT ?")
      .all(base + row.start_offset, base + row.committed_offset, batch.records);
    const oldest = Date.now() - this.#retentionMs;
    const kept = candidates.findIndex((candidate) => Number(candidate["timestamp"]) > oldest);
    const dropped = kept < 0 ? candidates : candidates.slice(0, kept);
    const last = dropped.at(-1);
    if (!last) return 0;
    const end = Number(last["id"]) + 1;
    this.#database
      .statement("DELETE FROM records WHERE id >= ? AND id < ?")
      .run(base + row.start_offset, end);
    this.#database
      .statement("UPDATE partitions SET start_offset = ? WHERE partition = ?")
      .run(end - base, partition);
    return dropped.length;
  }
}
