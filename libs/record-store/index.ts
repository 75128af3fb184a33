export type { PgliteRecordStoreOptions } from "./pglite-record-store.ts";
export { openPgliteRecordStore } from "./pglite-record-store.ts";
export type { Migration, Queries, RecordStore, RecordValue } from "./record-store.ts";
