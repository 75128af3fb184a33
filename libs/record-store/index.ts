export type { OpenRecordStoreOptions } from "./open-record-store.ts";
export { openRecordStore } from "./open-record-store.ts";
export type { PostgresRecordStoreOptions } from "./postgres-record-store.ts";
export { openPostgresRecordStore } from "./postgres-record-store.ts";
export type { RecordStoreValues } from "./postgres-settings.ts";
export { recordStoreSettings } from "./postgres-settings.ts";
export type {
  Driver,
  KeptRecords,
  Listener,
  Migration,
  Queries,
  RecordStore,
  RecordValue,
} from "./record-store.ts";
export { maxPayloadBytes } from "./record-store.ts";
export type { RecordContent, TableContent } from "./restore.ts";
export { filledTables, finishRestore, restoreRecords, unfinishedRestore } from "./restore.ts";
export type { AppliedMigration, SequenceState, TableShape } from "./schema-shape.ts";
export type { RecordSnapshot } from "./snapshot.ts";
export { readSnapshot } from "./snapshot.ts";
