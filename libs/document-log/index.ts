export type {
  DeadLetter,
  DeadLetterFailure,
  DeadLetterPage,
  DocumentLog,
  LogConsumer,
  LogPosition,
  LogRecord,
  NewLogRecord,
  PartitionLag,
} from "./document-log.ts";
export { parseRecordKey, recordKey } from "./document-log.ts";
export type { SqliteDocumentLogOptions } from "./sqlite-document-log.ts";
export { openSqliteDocumentLog } from "./sqlite-document-log.ts";
