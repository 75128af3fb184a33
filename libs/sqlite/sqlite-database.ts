import { existsSync, mkdirSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { HeadwaterError, status } from "@headwater/errors";
import { fromSqlite, isBusy } from "./sqlite-error.ts";
import type { SqliteOwner } from "./sqlite-owner.ts";

/**
 * Bounds of one transaction that gathers small writes. SQLite runs on the event loop, so a transaction is a pause of
 * it: about 13 µs a record of 1 KB, hence some 5 ms here. One large append is still one transaction.
 */
const maxGathered = { jobs: 256, bytes: 1024 * 1024 };
/** Milliseconds that SQLite may block the event loop while another process writes; after it we wait outside. */
const blockingBusyTimeout = 10;
/** Milliseconds after which a lock held by another process is an error. */
const busyTimeout = 10_000;

/** Raised when a program of before could no longer read or write the file. */
const formatVersion = 1;

interface Job {
  readonly bytes: number;
  readonly durable: boolean;
  readonly run: () => unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: HeadwaterError) => void;
}

type Outcome = { readonly job: Job } & ({ readonly result: unknown } | { readonly error: HeadwaterError });

/**
 * One SQLite file with group commit. Writes that arrive while others are being written share the next transaction
 * and its fsync.
 *
 * `synchronous=NORMAL` leaves the fsync of the write-ahead log to us: it is made in libuv's thread pool, so that a
 * slow disk does not stop the event loop, and a write resolves after it. That is as durable as `synchronous=FULL`:
 * SQLite itself syncs the log before each checkpoint and the database after it (https://sqlite.org/pragma.html).
 */
export class SqliteDatabase {
  readonly #owner: SqliteOwner;
  readonly #path: string;
  readonly #connection: DatabaseSync;
  readonly #writeAheadLog: FileHandle;
  readonly #statements = new Map<string, StatementSync>();
  #queue: Job[] = [];
  #running: Promise<void> | undefined;
  #closed = false;
  #lastWriteFailed = false;

  private constructor(owner: SqliteOwner, path: string, connection: DatabaseSync, writeAheadLog: FileHandle) {
    this.#owner = owner;
    this.#path = path;
    this.#connection = connection;
    this.#writeAheadLog = writeAheadLog;
  }

  /**
   * @param schema run at each opening, in one transaction: `CREATE … IF NOT EXISTS`
   * @throws HeadwaterError
   */
  static async open(path: string, schema: string, owner: SqliteOwner): Promise<SqliteDatabase> {
    try {
      mkdirSync(dirname(path), { recursive: true });
      const connection = new DatabaseSync(path, { timeout: blockingBusyTimeout });
      try {
        await retryWhileBusy(() =>
          connection.exec("PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL"),
        );
        connection.exec("PRAGMA synchronous=NORMAL; PRAGMA journal_size_limit=67108864");
        await retryWhileBusy(() => connection.exec("BEGIN IMMEDIATE"));
        refuseNewerFormat(connection, owner);
        connection.exec(`${schema}; PRAGMA user_version=${formatVersion}; COMMIT`);
        return new SqliteDatabase(owner, path, connection, await open(`${path}-wal`, "r+"));
      } catch (thrown) {
        connection.close();
        throw thrown;
      }
    } catch (thrown) {
      throw fromSqlite(thrown, owner);
    }
  }

  /** A prepared statement; the same text is prepared once. */
  statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** Runs `work`, which only reads, at once. Several statements in it may see different states. */
  read<T>(work: () => T): T {
    this.#refuseWhenClosed();
    try {
      return work();
    } catch (thrown) {
      throw fromSqlite(thrown, this.#owner);
    }
  }

  /** Pages of 4 KiB that hold nothing. */
  get freePages(): number {
    return Number(this.statement("PRAGMA freelist_count").get()?.["freelist_count"]);
  }

  /** Gives as many of them to the file system, 5 ms for a thousand; inside of `write`. */
  givePagesBack(count: number): void {
    this.statement(`PRAGMA incremental_vacuum(${count})`).all();
  }

  /** Changes when another connection has written. About 2 µs. */
  dataVersion(): unknown {
    return this.read(() => this.statement("PRAGMA data_version").get()?.["data_version"]);
  }

  /**
   * Runs `work` in a transaction, all or nothing. `work` may run twice (when a transaction that it shared with
   * others failed), so it changes nothing but the database.
   *
   * @param options.bytes about how much it writes
   * @param options.durable false: resolves without fsync, for what may be lost with the power (not with the process)
   * @throws HeadwaterError UNAVAILABLE when the disk is full or another process does not let go of the file
   */
  write<T>(work: () => T, options: { bytes?: number; durable?: boolean } = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#refuseWhenClosed();
      this.#queue.push({
        bytes: options.bytes ?? 0,
        durable: options.durable ?? true,
        run: work,
        resolve: (result) => resolve(result as T),
        reject,
      });
      this.#running ??= this.#drain();
    });
  }

  /**
   * @param probe changes nothing; run as a write after one has failed, to learn whether the disk has recovered
   * @throws HeadwaterError UNAVAILABLE
   */
  async checkHealth(probe: () => void): Promise<void> {
    this.dataVersion();
    if (!existsSync(this.#path)) {
      const { name, folder, reasons } = this.#owner;
      // SQLite would go on in the file that has no name any more, and all would be lost at the end.
      throw new HeadwaterError({
        code: status.UNAVAILABLE,
        reason: reasons.gone,
        message: `The file of the ${name} has been removed.`,
        action: `Stop Headwater and restore the folder ${folder} of HEADWATER_DATA_DIR.`,
      });
    }
    if (this.#lastWriteFailed) await this.write(probe);
  }

  /** Waits for the writes under way. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#running;
    await this.#writeAheadLog.close();
    this.#connection.close();
  }

  async #drain(): Promise<void> {
    // Lets everything that this turn of the event loop appends into the first transaction.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      const jobs = this.#takeJobs();
      const outcomes = await this.#runTogether(jobs);
      await this.#settle(outcomes);
    }
    this.#running = undefined;
  }

  #takeJobs(): Job[] {
    let bytes = 0;
    let count = 0;
    for (const job of this.#queue) {
      if (count > 0 && (count >= maxGathered.jobs || bytes + job.bytes > maxGathered.bytes)) break;
      bytes += job.bytes;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  /**
   * All jobs in one transaction. When that fails, each alone, so that one bad job does not fail the others; unless the
   * disk or the lock is at fault, which would only fail each of them again.
   */
  async #runTogether(jobs: readonly Job[]): Promise<Outcome[]> {
    try {
      return await this.#transaction(() => jobs.map((job) => ({ job, result: job.run() })));
    } catch (thrown) {
      const error = fromSqlite(thrown, this.#owner);
      if (jobs.length === 1 || error.transient) return jobs.map((job) => ({ job, error }));
      const outcomes: Outcome[] = [];
      for (const job of jobs) outcomes.push(...(await this.#runTogether([job])));
      return outcomes;
    }
  }

  async #transaction<T>(work: () => T): Promise<T> {
    return await retryWhileBusy(() => {
      this.#connection.exec("BEGIN IMMEDIATE");
      try {
        const result = work();
        this.#connection.exec("COMMIT");
        return result;
      } catch (thrown) {
        // SQLite has already rolled back after some errors, such as a full disk.
        if (this.#connection.isTransaction) this.#connection.exec("ROLLBACK");
        throw thrown;
      }
    });
  }

  async #settle(outcomes: readonly Outcome[]): Promise<void> {
    let syncError: HeadwaterError | undefined;
    if (outcomes.some((outcome) => "result" in outcome && outcome.job.durable)) {
      try {
        await this.#writeAheadLog.datasync();
      } catch (thrown) {
        syncError = fromSqlite(thrown, this.#owner);
      }
    }
    this.#lastWriteFailed = syncError !== undefined || outcomes.some((outcome) => "error" in outcome);
    for (const outcome of outcomes) {
      if ("error" in outcome) outcome.job.reject(outcome.error);
      else if (syncError && outcome.job.durable) outcome.job.reject(syncError);
      else outcome.job.resolve(outcome.result);
    }
  }

  #refuseWhenClosed(): void {
    if (!this.#closed) return;
    throw new HeadwaterError({
      code: status.FAILED_PRECONDITION,
      reason: this.#owner.reasons.closed,
      message: `The ${this.#owner.name} has been closed.`,
    });
  }
}

function refuseNewerFormat(connection: DatabaseSync, { name, reasons }: SqliteOwner): void {
  const version = Number(connection.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (version <= formatVersion) return;
  throw new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: reasons.formatNewer,
    message: `The ${name} was written by a newer version of Headwater (format ${version}).`,
    action: "Start that version or a newer one.",
  });
}

/** Tries again while another process holds the lock, without stopping the event loop in between. */
async function retryWhileBusy<T>(work: () => T): Promise<T> {
  const giveUpAt = performance.now() + busyTimeout;
  while (true) {
    try {
      return work();
    } catch (thrown) {
      if (!isBusy(thrown) || performance.now() > giveUpAt) throw thrown;
    }
    await sleep(2 + Math.random() * 8);
  }
}
