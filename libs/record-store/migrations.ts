import { HeadwaterError, status } from "@headwater/errors";
import type { Migration, Queries } from "./record-store.ts";

/** One connection inside a transaction, on which the schema is the search path. */
export interface MigrationConnection extends Queries {
  /** Runs several statements without parameters. */
  run(sql: string): Promise<unknown>;
}

/** Any number that no other user of advisory locks in the database has; together with the schema's name. */
const lockClass = 0x4857;

/**
 * Applies what is missing, in one transaction that the caller opened: an interrupted run leaves nothing half done,
 * and of several processes one does the work while the others wait.
 *
 * @throws HeadwaterError FAILED_PRECONDITION where the schema is newer than the program, or its history differs
 */
export async function applyMigrations(
  connection: MigrationConnection,
  schema: string,
  migrations: readonly Migration[],
): Promise<void> {
  migrations.forEach(({ id, name }, index) => {
    if (id !== index + 1)
      throw historyError(`Migration "${name}" has id ${id} and stands at place ${index + 1}.`);
  });
  await lockSchema(connection, schema);
  const [found] = await connection.query<{ there: boolean }>(
    "SELECT to_regclass('headwater_migrations') IS NOT NULL AS there",
  );
  // Not "if not exists": that needs the right to create tables even where it is there, and a service need not have it.
  if (!found?.there) {
    await connection.run(
      `CREATE TABLE headwater_migrations (
         id integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
       )`,
    );
  }
  const applied = await connection.query<{ id: number; name: string }>(
    "SELECT id, name FROM headwater_migrations ORDER BY id",
  );
  for (const { id, name } of applied) {
    const known = migrations[id - 1];
    if (!known) {
      throw historyError(
        `The records were written by a newer version of Headwater (migration ${id}, "${name}").`,
        "Start that version or a newer one.",
      );
    }
    if (known.name !== name)
      throw historyError(`Migration ${id} is "${known.name}" here and "${name}" in the store.`);
  }
  for (const { id, name, sql } of migrations.slice(applied.length)) {
    await connection.run(sql);
    await connection.query("INSERT INTO headwater_migrations (id, name) VALUES ($1, $2)", [id, name]);
  }
}

/** Keeps other processes from changing the schema until the transaction of these queries ends. */
export async function lockSchema(queries: Queries, schema: string): Promise<void> {
  await queries.query("SELECT pg_advisory_xact_lock($1::int, hashtext($2))", [lockClass, schema]);
}

function historyError(message: string, action?: string): HeadwaterError {
  return new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: "HW_SCHEMA_MISMATCH",
    message,
    ...(action === undefined ? {} : { action }),
  });
}
