import type { HeadwaterError } from "@headwater/errors";
import type { DocumentLog } from "./document-log.ts";
import { createKafka } from "./kafka-client.ts";
import { openKafkaDocumentLog } from "./kafka-document-log.ts";
import { fromKafka } from "./kafka-error.ts";
import type { DocumentLogValues } from "./kafka-settings.ts";
import { readConnection, readTopics } from "./kafka-settings.ts";
import { createTopics } from "./kafka-topics.ts";
import { openSqliteDocumentLog } from "./sqlite-document-log.ts";

export interface OpenDocumentLogOptions {
  /** Of the embedded log. */
  readonly folder: string;
  /** Of a new log; an existing one keeps its own, and another number is refused. */
  readonly partitions?: number | undefined;
  /** Told what went wrong where nobody waits for an answer; all of it is tried again. */
  readonly onError?: (error: HeadwaterError) => void;
}

/**
 * Kafka where HEADWATER_KAFKA_BROKERS is set, else the embedded log.
 *
 * @throws HeadwaterError FAILED_PRECONDITION where a setting is not valid or the log has another number of partitions,
 *   UNAVAILABLE where it cannot be reached
 */
export async function openDocumentLog(
  values: DocumentLogValues,
  { folder, partitions, onError }: OpenDocumentLogOptions,
): Promise<DocumentLog> {
  const report = onError === undefined ? {} : { onError };
  const brokers = values.HEADWATER_KAFKA_BROKERS;
  if (brokers === undefined)
    return openSqliteDocumentLog({ folder, ...(partitions === undefined ? {} : { partitions }), ...report });
  return openKafkaDocumentLog({
    connection: readConnection(brokers, values),
    topics: readTopics(values, partitions),
    createTopics: values.HEADWATER_KAFKA_CREATE_TOPICS,
    sessionTimeoutMs: values.HEADWATER_KAFKA_SESSION_TIMEOUT_MS,
    ...report,
  });
}

/**
 * Makes the topics that the settings name and leaves those that are there as they are: for a job that runs before the
 * services, with rights that they need not have. Does nothing for the embedded log.
 *
 * @throws HeadwaterError as `openDocumentLog`
 */
export async function createDocumentLogTopics(
  values: DocumentLogValues,
  { partitions }: Pick<OpenDocumentLogOptions, "partitions"> = {},
): Promise<void> {
  const brokers = values.HEADWATER_KAFKA_BROKERS;
  if (brokers === undefined) return;
  const admin = createKafka(readConnection(brokers, values)).admin();
  try {
    await admin.connect();
    await createTopics(admin, readTopics(values, partitions));
  } catch (thrown) {
    throw fromKafka(thrown);
  } finally {
    await admin.disconnect();
  }
}
