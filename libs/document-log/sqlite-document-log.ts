import { join } from "node:path";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import type { SqliteOwner } from "@headwater/sqlite";
import { SqliteDatabase } from "@headwater/sqlite";
import type { DocumentLog, PartitionLag } from "./document-log.ts";
import { groupInUse } from "./group-in-use.ts";
import { SqliteConsumer } from "./sqlite-consumer.ts";
import { SqliteDeadLetters } from "./sqlite-dead-letters.ts";
import { SqliteMembership } from "./sqlite-membership.ts";
import { SqliteRecords } from "./sqlite-records.ts";
import { SqliteRetention } from "./sqlite-retention.ts";
import { maxPartitions, schema } from "./sqlite-schema.ts";
import { Wakeups } from "./wakeups.ts";

export interface SqliteDocumentLogOptions {
  /** Made where it is not there. Several processes may open it at once; not over a network file system. */
  readonly folder: string;
  /**
   * Fixed when the log is made (a key must stay in its partition): 1 to 8,192, default 8. Bounds how many consumers
   * of a group can work side by side.
   */
  readonly partitions?: number;
  /** Bytes of the largest value; default 16 MiB, since a value is written in one pause of the event loop. */
  readonly maxRecordBytes?: number;
  /**
   * Milliseconds after which a consumer that gives no sign of life loses its partitions; default 6,000. A consumer
   * whose event loop stands still for longer is taken for dead. The death of a process on the same host is seen
   * within a third of it.
   */
  readonly leaseMs?: number;
  /** Milliseconds for which records stay after every group has committed past them; default one hour. */
  readonly retentionMs?: number;
  /** Milliseconds until the append of another process is seen; default 50. */
  readonly pollIntervalMs?: number;
  /** Told what went wrong where nobody waits for an answer: a heartbeat, the retention. Both try again. */
  readonly onError?: (error: HeadwaterError) => void;
}

const owner: SqliteOwner = {
  name: "document log",
  folder: "log/",
  reasons: {
    corrupt: "HW_LOG_CORRUPT",
    busy: "HW_LOG_BUSY",
    gone: "HW_LOG_GONE",
    closed: "HW_LOG_CLOSED",
    formatNewer: "HW_LOG_FORMAT_NEWER",
  },
};

/**
 * The embedded document log: one SQLite file.
 *
 * Dropping committed records goes by the slowest group that ever subscribed: nothing is lost to a consumer that was
 * away for long, and a group that is never used again holds its records for ever.
 *
 * @throws HeadwaterError FAILED_PRECONDITION where the log was made with another number of partitions
 */
export async function openSqliteDocumentLog(options: SqliteDocumentLogOptions): Promise<DocumentLog> {
  const { folder, partitions, leaseMs = 6_000, maxRecordBytes = 16 * 1024 * 1024 } = options;
  if (
    partitions !== undefined &&
    !(Number.isInteger(partitions) && partitions >= 1 && partitions <= maxPartitions)
  ) {
    throw invalidArgument("HW_LOG_PARTITIONS_INVALID", `partitions must be 1 to ${maxPartitions}.`);
  }
  const onError = options.onError ?? (() => {});
  const database = await SqliteDatabase.open(join(folder, "document-log.sqlite"), schema, owner);
  try {
    const count = await settlePartitions(database, partitions);
    const records = new SqliteRecords(database, { partitions: count, maxRecordBytes });
    const deadLetters = new SqliteDeadLetters(database, records);
    const wakeups = new Wakeups(() => database.dataVersion(), options.pollIntervalMs ?? 50);
    const retention = new SqliteRetention(database, {
      retentionMs: options.retentionMs ?? 3_600_000,
      onError,
    });
    const consumers = new Set<SqliteConsumer>();

    return {
      partitions: count,
      async append(added) {
        if (added.length === 0) return [];
        const positions = await records.append(added);
        wakeups.wakeAll();
        return positions;
      },
      async subscribe(group) {
        if (group === "") throw invalidArgument("HW_LOG_GROUP_INVALID", "A consumer group needs a name.");
        const consumer: SqliteConsumer = await SqliteConsumer.join(
          { membership: new SqliteMembership(database, group, leaseMs), records, wakeups },
          { heartbeatMs: leaseMs / 3, onClosed: () => consumers.delete(consumer), onError },
        );
        consumers.add(consumer);
        return consumer;
      },
      async lag(group) {
        return database.read(() => lagOf(database, group));
      },
      async rewind(group) {
        if (!(await new SqliteMembership(database, group, leaseMs).rewind())) throw groupInUse(group);
      },
      addDeadLetter: (record, failure) => deadLetters.add(record, failure),
      async listDeadLetters(query) {
        return deadLetters.list(query);
      },
      async countDeadLetters(tenant) {
        return deadLetters.count(tenant);
      },
      async replayDeadLetters(query) {
        const replayed = await deadLetters.replay(query);
        if (replayed > 0) wakeups.wakeAll();
        return replayed;
      },
      checkHealth: () => database.checkHealth(() => touch(database)),
      async close() {
        await Promise.all([...consumers].map((consumer) => consumer.close()));
        await retention.close();
        await database.close();
      },
    };
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

/** @returns how many partitions the log has, which it gets here when it is new */
async function settlePartitions(database: SqliteDatabase, wanted: number | undefined): Promise<number> {
  const count = await database.write(() => {
    const existing = countPartitions(database);
    if (existing > 0) return existing;
    const insert = "INSERT INTO partitions (partition, start_offset, end_offset) VALUES (?, 0, 0)";
    for (let partition = 0; partition < (wanted ?? 8); partition += 1)
      database.statement(insert).run(partition);
    return countPartitions(database);
  });
  if (wanted === undefined || wanted === count) return count;
  throw new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: "HW_LOG_PARTITIONS_CHANGED",
    message: `The document log has ${count} partitions and was opened with ${wanted}.`,
    action: `Open it with ${count} partitions: a document must stay in its partition.`,
  });
}

function countPartitions(database: SqliteDatabase): number {
  return Number(database.statement("SELECT count(*) AS partitions FROM partitions").get()?.["partitions"]);
}

/** A group that has never subscribed begins at the first record that is kept. */
function lagOf(database: SqliteDatabase, group: string): PartitionLag[] {
  const rows = database
    .statement(
      `SELECT p.partition, p.end_offset, max(p.start_offset, coalesce(g.committed_offset, 0)) AS committed_offset
       FROM partitions p LEFT JOIN group_partitions g ON g.partition = p.partition AND g.group_name = ?
       ORDER BY p.partition`,
    )
    .all(group);
  return rows.map((row) => ({
    partition: Number(row["partition"]),
    endOffset: Number(row["end_offset"]),
    committedOffset: Number(row["committed_offset"]),
  }));
}

function touch(database: SqliteDatabase): void {
  database.statement("UPDATE partitions SET end_offset = end_offset WHERE partition = 0").run();
}
