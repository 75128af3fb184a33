import { AsyncLocalStorage } from "node:async_hooks";
import type { Transaction } from "@electric-sql/pglite";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import { applyMigrations } from "./migrations.ts";
import type { PgliteDatabase } from "./pglite-database.ts";
import { openFolderDatabase, openMemoryDatabase } from "./pglite-database.ts";
import type { Migration, Queries, RecordStore, RecordValue } from "./record-store.ts";
import { fromSql } from "./sql-error.ts";

export interface PgliteRecordStoreOptions {
  /** Made where it is not there; one process at a time. Undefined: in memory, gone when closed. */
  readonly folder: string | undefined;
  /** Lower case letters, digits and "_", at most 63; made where it is not there. */
  readonly schema: string;
}

/**
 * The embedded record store: PostgreSQL 18 in the process (PGlite). It has one connection, so transactions run one
 * after another: their work must not wait for anything slow.
 *
 * @throws HeadwaterError FAILED_PRECONDITION where the folder is in use
 */
export async function openPgliteRecordStore(options: PgliteRecordStoreOptions): Promise<RecordStore> {
  const { folder, schema } = options;
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(schema)) {
    throw invalidArgument("HW_SCHEMA_INVALID", `"${schema}" is no name for a schema.`);
  }
  const opened = await (folder === undefined ? openMemoryDatabase() : openFolderDatabase(folder));
  try {
    await opened.database.exec(`CREATE SCHEMA IF NOT EXISTS "${schema}"; SET search_path TO "${schema}"`);
    return new PgliteRecordStore(opened, schema);
  } catch (thrown) {
    await opened.close();
    throw fromSql(thrown);
  }
}

class PgliteRecordStore implements RecordStore {
  readonly #opened: PgliteDatabase;
  readonly #schema: string;
  /** Set for whatever the work of a transaction calls. */
  readonly #transaction = new AsyncLocalStorage<{ ended: boolean }>();
  #closing: Promise<void> | undefined;

  constructor(opened: PgliteDatabase, schema: string) {
    this.#opened = opened;
    this.#schema = schema;
  }

  async query<Row extends object>(sql: string, parameters?: readonly RecordValue[]): Promise<Row[]> {
    this.#refuseWhenUnusable();
    return await runQuery<Row>(this.#opened.database, sql, parameters);
  }

  async transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T> {
    return await this.#inTransaction((transaction) => work(queriesOf(transaction)));
  }

  async migrate(migrations: readonly Migration[]): Promise<void> {
    await this.#inTransaction((transaction) =>
      applyMigrations(
        { ...queriesOf(transaction), run: (sql) => runStatements(transaction, sql) },
        this.#schema,
        migrations,
      ),
    );
  }

  async checkHealth(): Promise<void> {
    this.#refuseWhenUnusable();
    await runQuery(this.#opened.database, "SELECT 1");
  }

  close(): Promise<void> {
    this.#closing ??= this.#opened.close();
    return this.#closing;
  }

  async #inTransaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    this.#refuseWhenUnusable();
    const state = { ended: false };
    let workError: { readonly thrown: unknown } | undefined;
    try {
      return await this.#opened.database.transaction(async (transaction) => {
        try {
          return await this.#transaction.run(state, () => work(transaction));
        } catch (thrown) {
          workError = { thrown };
          throw thrown;
        }
      });
    } catch (thrown) {
      // What the work threw belongs to the caller; anything else went wrong at BEGIN or COMMIT.
      throw workError?.thrown === thrown ? thrown : fromSql(thrown);
    } finally {
      state.ended = true;
    }
  }

  #refuseWhenUnusable(): void {
    if (this.#closing !== undefined) {
      throw new HeadwaterError({
        code: status.FAILED_PRECONDITION,
        reason: "HW_RECORDS_CLOSED",
        message: "The record store has been closed.",
      });
    }
    if (this.#transaction.getStore()?.ended === false) {
      // There is one connection, which the transaction holds: this would wait for itself for ever.
      throw new HeadwaterError({
        code: status.INTERNAL,
        reason: "HW_RECORDS_NESTED",
        message: "The record store was used inside the work of one of its transactions.",
        action: "Use the queries that were given to the work.",
      });
    }
  }
}

function queriesOf(transaction: Transaction): Queries {
  return { query: (sql, parameters) => runQuery(transaction, sql, parameters) };
}

async function runQuery<Row extends object>(
  connection: Pick<Transaction, "query">,
  sql: string,
  parameters: readonly RecordValue[] = [],
): Promise<Row[]> {
  try {
    const { rows } = await connection.query<Row>(sql, [...parameters]);
    return rows;
  } catch (thrown) {
    throw fromSql(thrown);
  }
}

async function runStatements(connection: Pick<Transaction, "exec">, sql: string): Promise<void> {
  try {
    await connection.exec(sql);
  } catch (thrown) {
    throw fromSql(thrown);
  }
}
