export type { OpenRecordStoreOptions } from "./open-record-store.ts";
export { openRecordStore } from "./open-record-store.ts";
export type { PostgresRecordStoreOptions } from "./postgres-record-store.ts";
export { openPostgresRecordStore } from "./postgres-record-store.ts";
export type { RecordStoreValues } from "./postgres-settings.ts";
export { recordStoreSettings } from "./postgres-settings.ts";
export type { Driver, Listener, Migration, Queries, RecordStore, RecordValue } from "./record-store.ts";
export { maxPayloadBytes } from "./record-store.ts";
