import type { PGlite } from "@electric-sql/pglite";
import type { Connection } from "./postgres-settings.ts";

/** A value that PostgreSQL takes as a parameter. Arrays go with `unnest($1::text[], …)`: many rows in one statement. */
export type RecordValue =
  | string
  | number
  | boolean
  | Date
  | Uint8Array
  | null
  | readonly (string | number | boolean | Date | null)[];

export interface Queries {
  /**
   * Runs one statement of PostgreSQL's SQL with $1, $2 …; rows are keyed by column. bigint columns come as numbers, time
   * and date columns as Date (without a time zone: UTC), numeric and interval as text.
   */
  query<Row extends object>(sql: string, parameters?: readonly RecordValue[]): Promise<Row[]>;
}

/** One step of a schema's history. Never edited once it was released: a new one is added. */
export interface Migration {
  /** From 1, without gaps. */
  readonly id: number;
  readonly name: string;
  /** One or more statements. */
  readonly sql: string;
}

/** What of a schema a backup keeps. */
export interface KeptRecords {
  readonly schema: string;
  readonly migrations: readonly Migration[];
  /** Tables that are begun anew instead: what they say holds for the installation that was. */
  readonly leftOut: readonly string[];
}

/** Who wants to know of what `notify` tells. */
export interface Listener {
  onPayload(payload: string): void;
  /** Payloads may have been missed from this time on (unix milliseconds) until now: the connection was lost meanwhile. */
  onGap(since: number): void;
}

/**
 * What carries the records, for a library that keeps a schema of its own in the same database, such as a job queue.
 * Whatever else looks at it gives up the port.
 */
export type Driver =
  | { readonly kind: "pglite"; readonly database: PGlite }
  | { readonly kind: "postgres"; readonly connection: Connection };

/** Port: relational records, in PostgreSQL's SQL. Each service has a schema of its own. */
export interface RecordStore extends Queries {
  /** True where other processes may use the same records at the same time. */
  readonly shared: boolean;
  readonly driver: Driver;
  /**
   * All or nothing; rolled back when `work` throws. Where the database breaks a transaction off because it was in
   * another's way, `work` runs again from its start: it changes nothing but through its queries. Those run one at a
   * time, in the order in which they were asked for.
   */
  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  /** Brings the schema up to date; safe to run from several processes at once, and again. */
  migrate(migrations: readonly Migration[]): Promise<void>;
  /**
   * Tells whoever listens on the channel of this schema, in this process and in others, of each payload, in order.
   *
   * @param channel lower case letters, digits and "_", at most 30
   * @param payloads each of 1 to `maxPayloadBytes` bytes of UTF-8, well formed and without NUL; equal ones in one call may be heard
   *   once
   */
  notify(channel: string, payloads: readonly string[]): Promise<void>;
  /**
   * Listens until the store is closed, or what this returns is called. Also hears what this process tells.
   *
   * @param channel as in `notify`
   */
  listen(channel: string, listener: Listener): Promise<() => Promise<void>>;
  /** @throws HeadwaterError UNAVAILABLE when the store cannot be reached */
  checkHealth(): Promise<void>;
  close(): Promise<void>;
}

/** Of one notification; PostgreSQL takes 7,999. */
export const maxPayloadBytes = 7_900;
