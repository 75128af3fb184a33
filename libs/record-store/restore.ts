import { HeadwaterError, status } from "@headwater/errors";
import type { Migration, Queries, RecordStore } from "./record-store.ts";
import type { AppliedMigration, SequenceState, TableShape } from "./schema-shape.ts";
import { quoted, sequences, tables } from "./schema-shape.ts";

/** A table to be filled. */
export interface TableContent extends TableShape {
  /** As `RecordSnapshot.lines` gave them; an error of theirs leaves the records as they were. */
  readonly lines: () => AsyncIterable<readonly string[]>;
}

/** Records as a snapshot had them. */
export interface RecordContent {
  /** By which the restore knows its own work again. */
  readonly name: string;
  readonly migrations: readonly AppliedMigration[];
  /** Parents first. */
  readonly tables: readonly TableContent[];
  readonly sequences: readonly SequenceState[];
}

/** What stands for a restore that is not finished. */
const marker = "headwater_restore";

/**
 * Makes the records of a store's schema those of a snapshot; tables that it does not have begin empty, or as their
 * migration leaves them. Nobody else may use the schema meanwhile. Where a restore was interrupted, the same again goes
 * on: a schema that is done is left as it is, one that is not has stayed without records.
 *
 * @param migrations of the program; a snapshot of an older one is brought up to date
 * @returns false where it was done before
 * @throws HeadwaterError FAILED_PRECONDITION, HW_SCHEMA_MISMATCH, where the snapshot is of a newer program
 */
export async function restoreRecords(
  store: RecordStore,
  migrations: readonly Migration[],
  content: RecordContent,
): Promise<boolean> {
  checkHistory(migrations, content.migrations);
  if ((await unfinishedRestore(store)) === content.name) return false;
  await dropAll(store);
  await store.migrate(migrations.slice(0, content.migrations.length));
  await store.transaction(async (queries) => {
    await queries.query("SET LOCAL statement_timeout = 0");
    await queries.query("SET LOCAL idle_in_transaction_session_timeout = 0");
    for (const table of content.tables) await fill(queries, table);
    const known = new Set((await sequences(queries)).map(({ name }) => name));
    for (const { name, lastValue } of content.sequences) {
      if (lastValue === null || !known.has(name)) continue;
      await queries.query("SELECT setval($1::regclass, $2::bigint)", [quoted(name), lastValue]);
    }
    await queries.query(`CREATE TABLE ${marker} (name text NOT NULL)`);
    await queries.query(`INSERT INTO ${marker} VALUES ($1)`, [content.name]);
  });
  await store.migrate(migrations);
  return true;
}

/** From now on the records are like any others. */
export async function finishRestore(store: RecordStore): Promise<void> {
  await store.query(`DROP TABLE IF EXISTS ${marker}`);
}

/** @returns the name of a restore that has filled this schema and is not finished */
export async function unfinishedRestore(queries: Queries): Promise<string | undefined> {
  const [found] = await queries.query<{ there: boolean }>("SELECT to_regclass($1) IS NOT NULL AS there", [
    marker,
  ]);
  if (!found?.there) return undefined;
  const [row] = await queries.query<{ name: string }>(`SELECT name FROM ${marker}`);
  return row?.name;
}

/** The tables that hold rows. */
export async function filledTables(queries: Queries): Promise<string[]> {
  const filled: string[] = [];
  for (const { name } of await tables(queries)) {
    const [found] = await queries.query<{ filled: boolean }>(
      `SELECT EXISTS (SELECT FROM ${quoted(name)}) AS filled`,
    );
    if (found?.filled) filled.push(name);
  }
  return filled;
}

function checkHistory(migrations: readonly Migration[], applied: readonly AppliedMigration[]): void {
  const unknown = applied.find(({ id, name }) => migrations[id - 1]?.name !== name);
  if (!unknown) return;
  throw new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: "HW_SCHEMA_MISMATCH",
    message: `The backup has migration ${unknown.id}, "${unknown.name}", which this version of Headwater does not know.`,
    action: "Restore with the version that took the backup, or a newer one.",
  });
}

/** The schema itself stays: to make one is a right that its user need not have. */
async function dropAll(store: RecordStore): Promise<void> {
  await store.transaction(async (queries) => {
    const found = await queries.query<{ name: string; kind: string }>(
      `SELECT relname::text AS name, relkind::text AS kind FROM pg_class
       WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'S') ORDER BY relkind DESC`,
    );
    for (const { name, kind } of found)
      await queries.query(`DROP ${kind === "r" ? "TABLE" : "SEQUENCE"} IF EXISTS ${quoted(name)} CASCADE`);
  });
}

async function fill(queries: Queries, { name, columns, lines }: TableContent): Promise<void> {
  // Types are those of the table that is there; of the snapshot only names and values count.
  const types = await queries.query<{ column: string; type: string }>(
    `SELECT attname::text AS column, format_type(atttypid, atttypmod) AS type FROM pg_attribute
     WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped`,
    [quoted(name)],
  );
  const typeOf = new Map(types.map(({ column, type }) => [column, type]));
  const values = columns.map((column, place) => {
    const type = typeOf.get(column);
    if (type === undefined) throw new TypeError(`the table ${name} has no column ${column}`);
    return `(line ->> ${place})::${type}`;
  });
  // What its migration has put there is in the snapshot too.
  await queries.query(`DELETE FROM ${quoted(name)}`);
  const sql = `INSERT INTO ${quoted(name)} (${columns.map(quoted).join(", ")}) OVERRIDING SYSTEM VALUE
    SELECT ${values.join(", ")} FROM unnest($1::text[]) AS given (text), LATERAL (SELECT text::jsonb) AS parsed (line)`;
  for await (const batch of lines()) await queries.query(sql, [batch]);
}
