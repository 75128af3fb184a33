import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import type { Admin, ITopicConfig } from "kafkajs";
import kafkajs from "kafkajs";
import { unavailable } from "./kafka-error.ts";

/** The topics of a document log, and what they are made with. */
export interface KafkaTopics {
  readonly topic: string;
  readonly deadLetterTopic: string;
  /** Of a new topic; undefined: 8. An existing one keeps its own, and another number is refused. */
  readonly partitions: number | undefined;
  /** Copies of each record; undefined: as the brokers are set. */
  readonly replicationFactor: number | undefined;
  /** Hours for which records stay, consumed or not; -1: for ever. */
  readonly retentionHours: number;
  /** Hours for which dead letters stay; -1: for ever. */
  readonly deadLetterRetentionHours: number;
}

/** Kafka itself has no bound; beyond this a broker suffers. */
const maxPartitions = 8_192;
const defaultPartitions = 8;
/** Milliseconds until a new topic has a leader for each partition. */
const settleTimeoutMs = 10_000;
/** A dead letter is a record of the log with headers that say why: room for both. */
const maxDeadLetterBytes = 2 * 1024 * 1024;

/**
 * Makes the topics that are not there, and leaves the others as they are; several processes may do it at once.
 *
 * @throws HeadwaterError FAILED_PRECONDITION where the topic has another number of partitions
 */
export async function createTopics(admin: Admin, topics: KafkaTopics): Promise<void> {
  checkPartitions(topics.partitions);
  const existing = new Set(await admin.listTopics());
  const missing = configsOf(topics).filter(({ topic }) => !existing.has(topic));
  if (missing.length > 0) await admin.createTopics({ topics: missing, waitForLeaders: false });
  const giveUpAt = performance.now() + settleTimeoutMs;
  while (!(await haveLeaders(admin, topics))) {
    if (performance.now() > giveUpAt)
      throw unavailable("The topics have no leaders yet.", "Look at the brokers' logs, then try again.");
    await delay(50);
  }
  await countPartitions(admin, topics);
}

/**
 * @returns how many partitions the topic has
 * @throws HeadwaterError FAILED_PRECONDITION where another number was asked for
 */
export async function countPartitions(admin: Admin, { topic, partitions }: KafkaTopics): Promise<number> {
  checkPartitions(partitions);
  const count = (await readPartitions(admin, topic)).length;
  if (partitions === undefined || partitions === count) return count;
  throw new HeadwaterError({
    ...{ code: status.FAILED_PRECONDITION, reason: "HW_LOG_PARTITIONS_CHANGED" },
    message: `The document log has ${count} partitions and was opened with ${partitions}.`,
    action: `Open it with ${count} partitions: a document must stay in its partition.`,
  });
}

/** @throws HeadwaterError UNAVAILABLE where a topic is not there or a partition has no leader */
export async function checkTopics(admin: Admin, { topic, deadLetterTopic }: KafkaTopics): Promise<void> {
  for (const name of [topic, deadLetterTopic]) {
    const partitions = await readPartitions(admin, name);
    const headless = partitions.filter(({ leader }) => leader < 0).length;
    if (headless === 0) continue;
    throw unavailable(
      `${headless} of ${partitions.length} partitions of the topic ${name} have no leader.`,
      "Start the brokers that hold them.",
    );
  }
}

async function haveLeaders(admin: Admin, { topic, deadLetterTopic }: KafkaTopics): Promise<boolean> {
  const existing = new Set(await admin.listTopics());
  if (!existing.has(topic) || !existing.has(deadLetterTopic)) return false;
  const partitions = [
    ...(await readPartitions(admin, topic)),
    ...(await readPartitions(admin, deadLetterTopic)),
  ];
  if (partitions.some(({ leader }) => leader < 0)) return false;
  return (await doLeadersServe(admin, topic)) && (await doLeadersServe(admin, deadLetterTopic));
}

/** A broker may be named as a leader a moment before it knows. */
async function doLeadersServe(admin: Admin, topic: string): Promise<boolean> {
  try {
    await admin.fetchTopicOffsets(topic);
    return true;
  } catch (thrown) {
    if (thrown instanceof kafkajs.KafkaJSError && thrown.retriable) return false;
    throw thrown;
  }
}

async function readPartitions(admin: Admin, topic: string) {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  return topics.find(({ name }) => name === topic)?.partitions ?? [];
}

function configsOf(topics: KafkaTopics): ITopicConfig[] {
  const { topic, deadLetterTopic, partitions, replicationFactor } = topics;
  const replication = replicationFactor === undefined ? {} : { replicationFactor };
  return [
    {
      topic,
      numPartitions: partitions ?? defaultPartitions,
      ...replication,
      configEntries: [
        { name: "retention.ms", value: milliseconds(topics.retentionHours) },
        // Versions of events that carry none come from it: a producer's clock may be wrong, a broker's only advances.
        { name: "message.timestamp.type", value: "LogAppendTime" },
        // Producers may compress as they like; kafkajs could not read Snappy and LZ4.
        { name: "compression.type", value: "zstd" },
      ],
    },
    {
      // One: dead letters are few, and have one order.
      ...{ topic: deadLetterTopic, numPartitions: 1, ...replication },
      configEntries: [
        { name: "retention.ms", value: milliseconds(topics.deadLetterRetentionHours) },
        { name: "max.message.bytes", value: String(maxDeadLetterBytes) },
        { name: "compression.type", value: "zstd" },
      ],
    },
  ];
}

function milliseconds(hours: number): string {
  return String(hours < 0 ? -1 : hours * 3_600_000);
}

function checkPartitions(partitions: number | undefined): void {
  if (partitions === undefined) return;
  if (Number.isInteger(partitions) && partitions >= 1 && partitions <= maxPartitions) return;
  throw invalidArgument("HW_LOG_PARTITIONS_INVALID", `partitions must be 1 to ${maxPartitions}.`);
}
