import kafkajs from "kafkajs";
import { producerRetry } from "./kafka-appender.ts";
import { createKafka } from "./kafka-client.ts";
import { fromKafka } from "./kafka-error.ts";
import type { DocumentLogValues } from "./kafka-settings.ts";
import { readConnection, readTopics } from "./kafka-settings.ts";

/** Writes to the topic of documents as any producer does, by what docs/kafka.md says and nothing else. */
export interface PlainProducer {
  /**
   * @param key tenant/id
   * @param event in protobuf's JSON mapping; null deletes the document
   * @throws HeadwaterError UNAVAILABLE where the brokers have not taken it
   */
  write(key: string, event: object | null): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param brokers HEADWATER_KAFKA_BROKERS
 * @throws HeadwaterError UNAVAILABLE where no broker answers
 */
export async function openPlainProducer(brokers: string, values: DocumentLogValues): Promise<PlainProducer> {
  const { topic } = readTopics(values, undefined);
  const producer = createKafka(readConnection(brokers, values)).producer({
    ...{ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false, retry: producerRetry },
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  try {
    await producer.connect();
  } catch (thrown) {
    throw fromKafka(thrown);
  }
  return {
    async write(key, event) {
      const value = event === null ? null : JSON.stringify(event);
      const headers = { "content-type": "application/json" };
      try {
        await producer.send({ topic, acks: -1, messages: [{ key, value, headers }] });
      } catch (thrown) {
        throw fromKafka(thrown);
      }
    },
    close: () => producer.disconnect(),
  };
}
