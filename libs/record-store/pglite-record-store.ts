import type { Transaction } from "@electric-sql/pglite";
import { PeriodicWork } from "@headwater/resilience";
import { channelName, notifySql } from "./channel.ts";
import { applyMigrations } from "./migrations.ts";
import type { PgliteDatabase } from "./pglite-database.ts";
import { openFolderDatabase, openMemoryDatabase } from "./pglite-database.ts";
import { vacuum } from "./pglite-vacuum.ts";
import type { Driver, Listener, Migration, Queries, RecordStore, RecordValue } from "./record-store.ts";
import { fromSql } from "./sql-error.ts";
import { checkSchema, recordsClosed, TransactionScope } from "./transaction-scope.ts";

/** PostgreSQL's own `autovacuum_naptime`. */
const defaultVacuumEveryMs = 60_000;

export interface PgliteRecordStoreOptions {
  /** Made where it is not there; one process at a time. Undefined: in memory, gone when closed. */
  readonly folder: string | undefined;
  /** Lower case letters, digits and "_", at most 63; made where it is not there. */
  readonly schema: string;
  /** Milliseconds between two looks for rows that nobody can see any more; default 60,000. */
  readonly vacuumEveryMs?: number;
}

/**
 * The embedded record store: PostgreSQL 18 in the process (PGlite). It has one connection, so transactions run one
 * after another: their work must not wait for anything slow.
 *
 * @throws HeadwaterError FAILED_PRECONDITION where the folder is in use
 */
export async function openPgliteRecordStore(options: PgliteRecordStoreOptions): Promise<RecordStore> {
  const { folder, schema } = options;
  checkSchema(schema);
  const opened = await (folder === undefined ? openMemoryDatabase() : openFolderDatabase(folder));
  try {
    await opened.database.exec(`CREATE SCHEMA IF NOT EXISTS "${schema}"; SET search_path TO "${schema}"`);
    return new PgliteRecordStore(opened, schema, options.vacuumEveryMs ?? defaultVacuumEveryMs);
  } catch (thrown) {
    await opened.close();
    throw fromSql(thrown);
  }
}

class PgliteRecordStore implements RecordStore {
  readonly shared = false;
  readonly driver: Driver;
  readonly #opened: PgliteDatabase;
  readonly #schema: string;
  readonly #scope = new TransactionScope();
  readonly #vacuuming: PeriodicWork;
  #closing: Promise<void> | undefined;

  constructor(opened: PgliteDatabase, schema: string, vacuumEveryMs: number) {
    this.#opened = opened;
    this.driver = { kind: "pglite", database: opened.database };
    this.#schema = schema;
    this.#vacuuming = new PeriodicWork({
      firstAfterMs: vacuumEveryMs,
      everyMs: vacuumEveryMs,
      work: (signal) => vacuum(opened.database, signal),
      onError: (thrown) => process.emitWarning(`the record store could not be vacuumed: ${String(thrown)}`),
    });
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

  async notify(channel: string, payloads: readonly string[]): Promise<void> {
    if (payloads.length > 0) await this.query(notifySql, [channelName(this.#schema, channel), payloads]);
  }

  async listen(channel: string, { onPayload }: Listener): Promise<() => Promise<void>> {
    this.#refuseWhenUnusable();
    return await this.#opened.database.listen(channelName(this.#schema, channel), onPayload);
  }

  async checkHealth(): Promise<void> {
    this.#refuseWhenUnusable();
    await runQuery(this.#opened.database, "SELECT 1");
  }

  close(): Promise<void> {
    this.#closing ??= this.#vacuuming.close().then(() => this.#opened.close());
    return this.#closing;
  }

  async #inTransaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    this.#refuseWhenUnusable();
    let workError: { readonly thrown: unknown } | undefined;
    try {
      return await this.#opened.database.transaction(async (transaction) => {
        try {
          return await this.#scope.run(() => work(transaction));
        } catch (thrown) {
          workError = { thrown };
          throw thrown;
        }
      });
    } catch (thrown) {
      // What the work threw belongs to the caller; anything else went wrong at BEGIN or COMMIT.
      throw workError?.thrown === thrown ? thrown : fromSql(thrown);
    }
  }

  #refuseWhenUnusable(): void {
    if (this.#closing !== undefined) throw recordsClosed();
    this.#scope.refuseInside();
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
