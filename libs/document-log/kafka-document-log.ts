import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import { Dependency } from "@headwater/resilience";
import type { Admin, Cluster, FetchOffsetsPartition } from "kafkajs";
import type { DocumentLog, NewLogRecord, PartitionLag } from "./document-log.ts";
import { groupInUse } from "./group-in-use.ts";
import { KafkaAppender, producerRetry, transactionTimeoutMs } from "./kafka-appender.ts";
import { sizeOf } from "./kafka-batches.ts";
import type { KafkaConnection } from "./kafka-client.ts";
import { createKafka } from "./kafka-client.ts";
import { KafkaConsumer } from "./kafka-consumer.ts";
import { KafkaDeadLetterIndex } from "./kafka-dead-letter-index.ts";
import { KafkaDeadLetters } from "./kafka-dead-letters.ts";
import { fromKafka, recordTooLarge } from "./kafka-error.ts";
import { createCluster } from "./kafka-internals.ts";
import { KafkaPartitionReader } from "./kafka-partition-reader.ts";
import { KafkaSession } from "./kafka-session.ts";
import type { KafkaTopics } from "./kafka-topics.ts";
import { checkTopics, countPartitions, createTopics } from "./kafka-topics.ts";
import { partitionOf } from "./partitioner.ts";

export interface KafkaDocumentLogOptions {
  readonly connection: KafkaConnection;
  readonly topics: KafkaTopics;
  /** Makes topics that are not there; false where only an operator may. */
  readonly createTopics: boolean;
  /**
   * Milliseconds without a sign of life after which a consumer loses its partitions; 6,000 or more, since brokers
   * allow no less where they are not told to.
   */
  readonly sessionTimeoutMs: number;
  /** Told what went wrong where nobody waits for an answer; all of it is tried again. */
  readonly onError?: (error: HeadwaterError) => void;
}

/** Milliseconds within which `checkHealth` knows. */
const healthTimeoutMs = 2_500;
/** Milliseconds for a look at the dead letters, the first of which reads their whole topic. */
const deadLetterTimeoutMs = 60_000;
/** Bytes of a record with all that Kafka adds: its default bound, less the frame of a batch. */
const maxRecordBytes = 1024 * 1024 - 100;

/**
 * The document log on Kafka.
 *
 * Records stay for the retention of the topic, consumed or not: a group that is behind by more loses records, and has
 * it reported.
 *
 * @throws HeadwaterError UNAVAILABLE where no broker answers, FAILED_PRECONDITION where the topic has another number of
 *   partitions
 */
export async function openKafkaDocumentLog(options: KafkaDocumentLogOptions): Promise<DocumentLog> {
  const { connection, topics, sessionTimeoutMs } = options;
  const { topic, deadLetterTopic } = topics;
  const { requestTimeoutMs, clientId } = connection;
  const onError = options.onError ?? (() => {});
  const kafka = createKafka(connection);
  const server = new Dependency({
    ...{ name: "Kafka", reason: "HW_KAFKA_UNAVAILABLE", timeoutMs: requestTimeoutMs, toError: fromKafka },
    action: "Check that the brokers run and that HEADWATER_KAFKA_BROKERS names them.",
  });
  const admin = new KafkaSession<Admin>(() => kafka.admin());
  let partitions: number;
  try {
    partitions = await admin.use(async (client) => {
      if (options.createTopics) await createTopics(client, topics);
      else await checkTopics(client, topics);
      return countPartitions(client, topics);
    });
  } catch (thrown) {
    await admin.close();
    throw fromKafka(thrown);
  }

  const appender = new KafkaAppender(kafka, { clientId, timeoutMs: requestTimeoutMs });
  const reading = new KafkaSession<Cluster>(() => createCluster(kafka));
  const reader = new KafkaPartitionReader(reading, deadLetterTopic, 0);
  const deadLetters = new KafkaDeadLetters({
    ...{ topic, deadLetterTopic, partitions, reader, requestTimeoutMs },
    index: new KafkaDeadLetterIndex(reader, onError),
    append: async (record) => {
      await server.run((signal) => appender.append([record], signal), { attempts: 1 });
    },
    createReplayer: () =>
      kafka.producer({
        ...{ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false },
        ...{ transactionalId: `${clientId}-replay-${deadLetterTopic}`, retry: producerRetry },
        transactionTimeout: transactionTimeoutMs,
      }),
  });
  // An append is in the log when its transaction is decided, which may be before its records can be read.
  const log = new KafkaSession<Cluster>(() => createCluster(kafka, { readUncommitted: true }));
  const consumers = new Set<KafkaConsumer>();
  let closed = false;
  const refuseWhenClosed = () => {
    if (closed) throw logClosed();
  };
  const onDeadLetters = <Result>(work: () => Promise<Result>, attempts = 3): Promise<Result> => {
    refuseWhenClosed();
    return server.run(work, { timeoutMs: deadLetterTimeoutMs, attempts });
  };

  return {
    partitions,
    async append(records) {
      refuseWhenClosed();
      if (records.length === 0) return [];
      for (const record of records) checkRecord(record);
      const placed = records.map((record) => ({
        ...{ ...record, topic, partition: partitionOf(record.key, partitions) },
      }));
      return server.run((signal) => appender.append(placed, signal), { attempts: 1 });
    },
    async subscribe(group) {
      refuseWhenClosed();
      if (group === "") throw invalidArgument("HW_LOG_GROUP_INVALID", "A consumer group needs a name.");
      const consumer: KafkaConsumer = await KafkaConsumer.join({
        ...{ cluster: createCluster(kafka), group, topic, partitions, sessionTimeoutMs, requestTimeoutMs },
        ...{ onError, onClosed: () => consumers.delete(consumer) },
      });
      consumers.add(consumer);
      return consumer;
    },
    async lag(group) {
      refuseWhenClosed();
      return server.run(async () => {
        const [offsets, committed] = await Promise.all([
          log.use((cluster) => readOffsets(cluster, topic)),
          admin.use((client) => client.fetchOffsets({ groupId: group, topics: [topic] })),
        ]);
        return lagOf(offsets, committed);
      });
    },
    async rewind(group) {
      refuseWhenClosed();
      await server.run(() => admin.use((client) => forgetGroup(client, group)), { attempts: 1 });
    },
    addDeadLetter: async (record, failure) => {
      refuseWhenClosed();
      await deadLetters.add(record, failure);
    },
    listDeadLetters: async (query) => onDeadLetters(() => deadLetters.list(query)),
    countDeadLetters: async (tenant) => onDeadLetters(() => deadLetters.count(tenant)),
    replayDeadLetters: async (query) => onDeadLetters(() => deadLetters.replay(query), 1),
    async checkHealth() {
      refuseWhenClosed();
      // Past the circuit breaker, which knows only that something was wrong a while ago.
      const asked = admin.use((client) => checkTopics(client, topics)).catch((thrown: unknown) => thrown);
      const problem = await Promise.race([asked, timeoutOf(healthTimeoutMs)]);
      if (problem !== undefined) throw fromKafka(problem);
    },
    async close() {
      if (closed) return;
      closed = true;
      await Promise.all([...consumers].map((consumer) => consumer.close()));
      await appender.close();
      await Promise.all([reading.close(), log.close(), admin.close()]);
    },
  };
}

function checkRecord(record: NewLogRecord): void {
  if (record.key === "" || !record.key.isWellFormed())
    throw invalidArgument("HW_LOG_KEY_INVALID", "The key of a record must be text, and not empty.");
  if (sizeOf(record) > maxRecordBytes) throw recordTooLarge();
}

/** First and next offset of each partition. */
async function readOffsets(cluster: Cluster, topic: string): Promise<Map<number, [number, number]>> {
  await cluster.addTargetTopic(topic);
  await cluster.refreshMetadataIfNecessary();
  const partitions = cluster
    .findTopicPartitionMetadata(topic)
    .map(({ partitionId }) => ({ partition: partitionId }));
  const [[first], [next]] = await Promise.all([
    cluster.fetchTopicsOffset([{ topic, partitions, fromBeginning: true }]),
    cluster.fetchTopicsOffset([{ topic, partitions, fromBeginning: false }]),
  ]).catch(async (thrown: unknown) => {
    // A partition may have another leader than is remembered here; the next attempt asks that one.
    await cluster.refreshMetadata();
    throw thrown;
  });
  const ends = new Map(next?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
  return new Map(
    first?.partitions.map(({ partition, offset }) => [partition, [Number(offset), ends.get(partition) ?? 0]]),
  );
}

/** A group that has never committed begins at the first record that is kept. */
function lagOf(
  offsets: Map<number, [number, number]>,
  groups: readonly { partitions: FetchOffsetsPartition[] }[],
): PartitionLag[] {
  const committed = groups.flatMap(({ partitions }) => partitions);
  const byPartition = new Map(committed.map(({ partition, offset }) => [partition, Number(offset)]));
  return [...offsets]
    .map(([partition, [first, next]]) => ({
      partition,
      endOffset: next,
      committedOffset: Math.max(first, byPartition.get(partition) ?? 0),
    }))
    .sort((a, b) => a.partition - b.partition);
}

/** A group that Kafka does not know begins at the first record that is kept. */
async function forgetGroup(client: Admin, group: string): Promise<void> {
  const { groups } = await client.describeGroups([group]);
  if (groups.some(({ members }) => members.length > 0)) throw groupInUse(group);
  try {
    await client.deleteGroups([group]);
  } catch (thrown) {
    const type = refusalOf(thrown);
    if (type === "GROUP_ID_NOT_FOUND") return;
    throw type === "NON_EMPTY_GROUP" ? groupInUse(group, thrown) : thrown;
  }
}

/** Of KafkaJSDeleteGroupsError, which kafkajs throws and does not export. */
function refusalOf(thrown: unknown): string | undefined {
  const { groups } = thrown as {
    readonly groups?: readonly { readonly error?: { readonly type?: string } }[];
  };
  return groups?.[0]?.error?.type;
}

function timeoutOf(milliseconds: number): Promise<HeadwaterError> {
  return new Promise((resolve) => {
    const error = new HeadwaterError({
      ...{ code: status.UNAVAILABLE, reason: "HW_KAFKA_UNAVAILABLE" },
      message: `Kafka did not answer within ${milliseconds} ms.`,
      action: "Check that the brokers run and that HEADWATER_KAFKA_BROKERS names them.",
    });
    setTimeout(resolve, milliseconds, error).unref();
  });
}

function logClosed(): HeadwaterError {
  return new HeadwaterError({
    ...{
      code: status.FAILED_PRECONDITION,
      reason: "HW_LOG_CLOSED",
      message: "The document log has been closed.",
    },
  });
}
