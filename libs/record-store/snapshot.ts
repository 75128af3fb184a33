import type { Queries, RecordStore } from "./record-store.ts";
import type { AppliedMigration, SequenceState, TableShape } from "./schema-shape.ts";
import { appliedMigrations, quoted, sequences, tables } from "./schema-shape.ts";

/** All records of a schema as they were at one moment, however long they are read. */
export interface RecordSnapshot {
  readonly migrations: readonly AppliedMigration[];
  /** A table comes after those that it refers to. */
  readonly tables: readonly TableShape[];
  readonly sequences: readonly SequenceState[];
  /**
   * Every row as a line of JSON: an array with the text form of each column, in which no type loses anything, or null.
   * In batches of about a mebibyte.
   */
  lines(table: TableShape): AsyncGenerator<readonly string[]>;
  /** What a SELECT finds, in such batches. */
  read<Row extends object>(sql: string): AsyncGenerator<readonly Row[]>;
}

/** Rows of the first batch, whose size nobody knows. */
const firstRows = 16;
const maxRows = 2000;
/** Bytes of a batch. */
const batchBytes = 1024 * 1024;

/**
 * Reads the records of a store's schema at one moment, with as little memory as a batch needs.
 *
 * @param work may run for hours: nobody waits for it, though a server keeps what changes meanwhile
 */
export async function readSnapshot<T>(
  store: RecordStore,
  work: (snapshot: RecordSnapshot) => Promise<T>,
): Promise<T> {
  return await store.transaction(async (queries) => {
    await queries.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    // Between two batches whoever takes them may be slow, and no single batch is large.
    await queries.query("SET LOCAL idle_in_transaction_session_timeout = 0");
    return await work({
      migrations: await appliedMigrations(queries),
      tables: await tables(queries),
      sequences: await sequences(queries),
      async *lines({ name, columns }) {
        const texts = columns.map((column) => `${quoted(column)}::text`).join(", ");
        const sql = `SELECT json_build_array(${texts})::text AS line FROM ${quoted(name)}`;
        for await (const rows of readInBatches<{ line: string }>(queries, sql))
          yield rows.map(({ line }) => line);
      },
      read: (sql) => readInBatches(queries, sql),
    });
  });
}

let cursors = 0;

async function* readInBatches<Row extends object>(
  queries: Queries,
  sql: string,
): AsyncGenerator<readonly Row[]> {
  cursors += 1;
  const cursor = `snapshot_${cursors}`;
  await queries.query(`DECLARE ${cursor} NO SCROLL CURSOR FOR ${sql}`);
  let count = firstRows;
  while (true) {
    const rows = await queries.query<Row>(`FETCH ${count} FROM ${cursor}`);
    if (rows.length === 0) break;
    yield rows;
    const bytes = rows.reduce((sum, row) => sum + sizeOf(row), 1);
    count = Math.max(1, Math.min(maxRows, 4 * count, Math.floor((batchBytes * rows.length) / bytes)));
  }
  await queries.query(`CLOSE ${cursor}`);
}

function sizeOf(row: object): number {
  return Object.values(row).reduce((sum, value) => sum + (typeof value === "string" ? value.length : 8), 0);
}
