import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError } from "@headwater/errors";
import type { DocumentLog } from "./document-log.ts";
import type { KafkaConnection } from "./kafka-client.ts";
import { createKafka } from "./kafka-client.ts";
import type { KafkaDocumentLogOptions } from "./kafka-document-log.ts";
import { openKafkaDocumentLog } from "./kafka-document-log.ts";

/** Topics that tests of this process have made. */
const made = new Set<string>();

export function testConnection(brokers: string): KafkaConnection {
  return {
    ...{ brokers: brokers.split(","), clientId: "headwater-test", tls: undefined, sasl: undefined },
    ...{ connectTimeoutMs: 10_000, requestTimeoutMs: 10_000 },
  };
}

export function testOptions(brokers: string, name: string): KafkaDocumentLogOptions {
  const topic = `test.${name}`;
  const deadLetterTopic = `${topic}.dead-letters`;
  for (const one of [topic, deadLetterTopic]) made.add(one);
  return {
    connection: testConnection(brokers),
    topics: {
      ...{ topic, deadLetterTopic, partitions: undefined, replicationFactor: undefined },
      ...{ retentionHours: 24, deadLetterRetentionHours: 24 },
    },
    ...{ createTopics: true, sessionTimeoutMs: 6_000 },
  };
}

export function openTestLog(brokers: string, name: string): Promise<DocumentLog> {
  return openKafkaDocumentLog(testOptions(brokers, name));
}

/** Removes the topics that the tests of this process have made. */
export async function removeTestTopics(brokers: string): Promise<void> {
  const admin = createKafka(testConnection(brokers)).admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const topics = [...made].filter((topic) => existing.has(topic));
    if (topics.length > 0) await admin.deleteTopics({ topics });
  } finally {
    await admin.disconnect();
  }
}

/** As ingest does: what is unavailable is tried again, as long as a broker may take to start. */
export async function patiently<Result>(work: () => Promise<Result>): Promise<Result> {
  const giveUpAt = performance.now() + 90_000;
  while (true) {
    try {
      return await work();
    } catch (thrown) {
      if (!HeadwaterError.from(thrown).transient || performance.now() > giveUpAt) throw thrown;
      await delay(100);
    }
  }
}
