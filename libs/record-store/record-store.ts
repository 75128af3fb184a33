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
  /** Runs one statement of PostgreSQL's SQL with $1, $2 …; rows are keyed by column. bigint columns come as numbers. */
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

/** Port: relational records, in PostgreSQL's SQL. Each service has a schema of its own. */
export interface RecordStore extends Queries {
  /** All or nothing; rolled back when `work` throws. */
  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  /** Brings the schema up to date; safe to run from several processes at once, and again. */
  migrate(migrations: readonly Migration[]): Promise<void>;
  /** @throws HeadwaterError UNAVAILABLE when the store cannot be reached */
  checkHealth(): Promise<void>;
  close(): Promise<void>;
}
