import { setTimeout as delay } from "node:timers/promises";
import { Dependency } from "@headwater/resilience";
import type { PoolClient } from "pg";
import { Pool } from "pg";
import { channelName, notifySql } from "./channel.ts";
import { applyMigrations, lockSchema } from "./migrations.ts";
import { PostgresConnection } from "./postgres-connection.ts";
import {
  fromPostgres,
  isConflict,
  postgresAction,
  postgresUnavailable,
  transactionFailed,
} from "./postgres-error.ts";
import { PostgresListener } from "./postgres-listener.ts";
import type { Connection } from "./postgres-settings.ts";
import type { Driver, Listener, Migration, Queries, RecordStore, RecordValue } from "./record-store.ts";
import { checkSchema, recordsClosed, TransactionScope } from "./transaction-scope.ts";

export interface PostgresRecordStoreOptions {
  readonly connection: Connection;
  /** Lower case letters, digits and "_", at most 63; made where it is not there. */
  readonly schema: string;
  /** Connections at most, besides one that listens. Default 10. */
  readonly poolSize?: number;
  /** Milliseconds for one statement. Default 30,000. */
  readonly statementTimeoutMs?: number;
  /** Told of what went wrong with connections that nobody was waiting for; they are replaced. */
  readonly onError?: (thrown: unknown) => void;
}

/** Milliseconds to connect, sign-in included, or to wait for a connection of the pool. */
const connectTimeoutMs = 5000;
/** Milliseconds without a statement after which the server ends a transaction: its process may be gone or stuck. */
const idleInTransactionMs = 60_000;
/** Of a statement or transaction that was broken off because of another. */
const attempts = 5;
/** Milliseconds that closing waits for transactions under way. */
const closeTimeoutMs = 5000;

/**
 * The production record store: a PostgreSQL server (14 or newer), shared by as many processes as there are. Isolation
 * is READ COMMITTED.
 *
 * @throws HeadwaterError UNAVAILABLE where it cannot be reached
 */
export async function openPostgresRecordStore(options: PostgresRecordStoreOptions): Promise<RecordStore> {
  checkSchema(options.schema);
  const store = new PostgresRecordStore(options);
  try {
    await store.makeSchema();
    return store;
  } catch (thrown) {
    await store.close();
    throw thrown;
  }
}

class PostgresRecordStore implements RecordStore {
  readonly shared = true;
  readonly driver: Driver;
  readonly #schema: string;
  readonly #statementTimeoutMs: number;
  readonly #pool: Pool;
  readonly #listener: PostgresListener;
  readonly #scope = new TransactionScope();
  readonly #server = new Dependency({
    ...{ name: "PostgreSQL", reason: "HW_POSTGRES_UNAVAILABLE", action: postgresAction },
    // The pool's own limit comes first: it knows how to give a connection up.
    timeoutMs: 2 * connectTimeoutMs,
    toError: fromPostgres,
  });
  #closing: Promise<void> | undefined;

  constructor(options: PostgresRecordStoreOptions) {
    const { connection, schema, poolSize = 10, statementTimeoutMs = 30_000, onError = () => {} } = options;
    this.#schema = schema;
    this.driver = { kind: "postgres", connection };
    this.#statementTimeoutMs = statementTimeoutMs;
    const session = {
      ...connection,
      options: [
        `search_path=${schema}`,
        ...["timezone=UTC", "datestyle=ISO", `statement_timeout=${statementTimeoutMs}`],
        `idle_in_transaction_session_timeout=${idleInTransactionMs}`,
      ]
        .map((setting) => `-c ${setting}`)
        .join(" "),
      application_name: `headwater ${schema}`.slice(0, 63),
      ...{ connectionTimeoutMillis: connectTimeoutMs, keepAlive: true, keepAliveInitialDelayMillis: 10_000 },
    };
    this.#pool = new Pool({ ...session, max: poolSize });
    this.#pool.on("error", (thrown) => onError(fromPostgres(thrown)));
    this.#listener = new PostgresListener(session, onError);
  }

  /** @internal */
  async makeSchema(): Promise<void> {
    const found = await this.query("SELECT FROM pg_namespace WHERE nspname = $1", [this.#schema]);
    // Not "if not exists" alone: that needs the right to create schemas even where it is there.
    if (found.length > 0) return;
    await this.transaction(async (queries) => {
      await lockSchema(queries, this.#schema);
      await queries.query(`CREATE SCHEMA IF NOT EXISTS "${this.#schema}"`);
    });
  }

  async query<Row extends object>(sql: string, parameters?: readonly RecordValue[]): Promise<Row[]> {
    this.#refuseWhenUnusable();
    return await withoutConflict(() =>
      this.#withConnection((connection) => connection.query<Row>(sql, parameters)),
    );
  }

  async transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T> {
    return await this.#inTransaction((connection) =>
      work({ query: (sql, parameters) => connection.query(sql, parameters) }),
    );
  }

  async migrate(migrations: readonly Migration[]): Promise<void> {
    // Neither another process's migration nor a large table is in a hurry.
    await this.#inTransaction(
      async (connection) => {
        await connection.run("SET LOCAL statement_timeout = 0");
        await applyMigrations(connection, this.#schema, migrations);
      },
      { unlimited: true },
    );
  }

  async notify(channel: string, payloads: readonly string[]): Promise<void> {
    if (payloads.length > 0) await this.query(notifySql, [channelName(this.#schema, channel), payloads]);
  }

  async listen(channel: string, listener: Listener): Promise<() => Promise<void>> {
    this.#refuseWhenUnusable();
    return await this.#listener.listen(channelName(this.#schema, channel), listener);
  }

  async checkHealth(): Promise<void> {
    await this.query("SELECT 1");
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#listener.close();
    // A server that hangs does not even answer a good-bye.
    const ended = new AbortController();
    const patience = delay(closeTimeoutMs, undefined, { signal: ended.signal }).catch(() => {});
    await Promise.race([this.#pool.end(), patience]);
    ended.abort();
  }

  async #inTransaction<T>(
    work: (connection: PostgresConnection) => Promise<T>,
    options: { unlimited?: boolean } = {},
  ): Promise<T> {
    this.#refuseWhenUnusable();
    return await withoutConflict(() =>
      this.#withConnection(async (connection) => {
        await connection.run("BEGIN");
        let result: T;
        try {
          result = await this.#scope.run(() => work(connection));
        } catch (thrown) {
          // Where even this fails the connection is thrown away, and the server rolls back by itself.
          if (!connection.broken) await connection.run("ROLLBACK").catch(() => {});
          throw thrown;
        }
        await commit(connection);
        return result;
      }, options),
    );
  }

  async #withConnection<T>(
    work: (connection: PostgresConnection) => Promise<T>,
    { unlimited = false } = {},
  ): Promise<T> {
    const client = await this.#server.run((signal) => this.#connect(signal));
    const connection = new PostgresConnection(client, unlimited ? undefined : this.#statementTimeoutMs);
    try {
      return await work(connection);
    } finally {
      client.release(connection.broken);
      connection.detach();
    }
  }

  async #connect(signal: AbortSignal): Promise<PoolClient> {
    const client = await this.#pool.connect();
    if (signal.aborted) client.release();
    return client;
  }

  #refuseWhenUnusable(): void {
    if (this.#closing !== undefined) throw recordsClosed();
    this.#scope.refuseInside();
  }
}

/** Runs again what the database broke off, and undid, to let another go on: a deadlock, or a conflict of isolation. */
async function withoutConflict<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (thrown) {
      if (!isConflict(thrown) || attempt >= attempts) throw thrown;
      await delay(Math.random() * 20 * 2 ** attempt);
    }
  }
}

/** @throws HeadwaterError where the server rolled back instead, or where nobody can know what it did */
async function commit(connection: PostgresConnection): Promise<void> {
  let tag: string;
  try {
    tag = await connection.run("COMMIT");
  } catch (thrown) {
    if (connection.broken)
      throw postgresUnavailable("was lost during a commit: it may or may not have taken effect", thrown);
    throw thrown;
  }
  if (tag === "ROLLBACK") throw transactionFailed();
}
