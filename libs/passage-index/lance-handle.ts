import type { Table } from "@lancedb/lancedb";
import { connect, Session } from "@lancedb/lancedb";

const metadataCacheBytes = 64 * 1024 * 1024;
/** Between two looks at the table's version, which costs 0.05 ms. */
const lookMs = 1000;

export interface LanceHandleOptions {
  readonly folder: string;
  readonly name: string;
  /** Memory for what the indexes keep loaded, in bytes. */
  readonly indexCacheBytes: number;
  /** Versions of the table, one or more a commit, after which it is opened anew. */
  readonly versionsPerSession: number;
  /** Told where opening anew failed; the next look tries again. */
  readonly onError: (error: unknown) => void;
}

/**
 * An open table of LanceDB. Each bringing up to date of an index leaves new files, and LanceDB's session keeps those of
 * the former ones open, deleted or not, until its cache is full of bytes, of which they have few: one more for each one
 * to nine commits, towards the process's limit of open files. So the table is opened anew, with a new session, after a
 * number of versions.
 */
export class LanceHandle {
  readonly #options: LanceHandleOptions;
  #opened: OpenTable;
  /** `performance.now()` before which the version is not looked at. */
  #nextLook = 0;
  #renewal: Promise<void> | undefined;
  #closed = false;

  private constructor(options: LanceHandleOptions, opened: OpenTable) {
    this.#options = options;
    this.#opened = opened;
  }

  static async open(options: LanceHandleOptions): Promise<LanceHandle> {
    return new LanceHandle(options, await OpenTable.open(options));
  }

  /** Runs a call on the table, which stays open until it ends. */
  use<T>(call: (table: Table) => Promise<T>): Promise<T> {
    if (!this.#renewal && !this.#closed && performance.now() >= this.#nextLook) this.#beginRenewal();
    return this.#opened.use(call);
  }

  /** Takes no new call; the last one under way closes the table. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#renewal;
    this.#opened.close();
  }

  /** In the background. */
  #beginRenewal(): void {
    this.#renewal = this.#renew()
      .catch((error: unknown) => {
        if (!this.#closed) this.#options.onError(error);
      })
      .finally(() => {
        this.#nextLook = performance.now() + lookMs;
        this.#renewal = undefined;
      });
  }

  /** Opens the table anew where it has gone through its versions. */
  async #renew(): Promise<void> {
    const former = this.#opened;
    const version = await former.use((table) => table.version());
    if (version - former.version < this.#options.versionsPerSession) return;
    // Nothing is read before it is asked for: at 50,000 passages the next search takes some 25 ms longer.
    this.#opened = await OpenTable.open(this.#options);
    former.close();
  }
}

/** A table and the calls on it: LanceDB does not let one be closed in the middle of a call. */
class OpenTable {
  /** When it was opened. */
  readonly version: number;
  readonly #table: Table;
  #calls = 0;
  #closed = false;

  private constructor(table: Table, version: number) {
    this.#table = table;
    this.version = version;
  }

  static async open({ folder, name, indexCacheBytes }: LanceHandleOptions): Promise<OpenTable> {
    const connection = await connect(folder, {
      // Others may write to the folder: each call looks for the latest commit.
      readConsistencyInterval: 0,
      session: new Session(BigInt(indexCacheBytes), BigInt(metadataCacheBytes)),
    });
    try {
      const table = await connection.openTable(name);
      return new OpenTable(table, await table.version());
    } finally {
      connection.close();
    }
  }

  async use<T>(call: (table: Table) => Promise<T>): Promise<T> {
    this.#calls += 1;
    try {
      return await call(this.#table);
    } finally {
      this.#calls -= 1;
      this.#end();
    }
  }

  close(): void {
    this.#closed = true;
    this.#end();
  }

  #end(): void {
    if (this.#closed && this.#calls === 0) this.#table.close();
  }
}
