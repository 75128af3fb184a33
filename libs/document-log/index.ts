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
export type { KafkaConnection, KafkaCredentials } from "./kafka-client.ts";
export type { KafkaDocumentLogOptions } from "./kafka-document-log.ts";
export { openKafkaDocumentLog } from "./kafka-document-log.ts";
export type { DocumentLogValues } from "./kafka-settings.ts";
export { documentLogSettings } from "./kafka-settings.ts";
export type { KafkaTopics } from "./kafka-topics.ts";
export type { OpenDocumentLogOptions } from "./open-document-log.ts";
export { createDocumentLogTopics, openDocumentLog } from "./open-document-log.ts";
export type { PlainProducer } from "./plain-producer.ts";
export { openPlainProducer } from "./plain-producer.ts";
export { firstAppended } from "./replay-headers.ts";
export type { SqliteDocumentLogOptions } from "./sqlite-document-log.ts";
export { openSqliteDocumentLog } from "./sqlite-document-log.ts";
