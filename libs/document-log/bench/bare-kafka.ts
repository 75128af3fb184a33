import { randomUUID } from "node:crypto";
import kafkajs from "kafkajs";

export interface BareRecord {
  readonly key: string;
  readonly value: Uint8Array;
}

/** kafkajs with nothing around it: what the document log, and the pipeline behind it, are measured against. */
export interface BareKafka {
  /** Puts records into a topic, as any producer does. */
  produce(topic: string, records: readonly BareRecord[]): Promise<void>;
  /** Reads so many records from the start of a topic, and commits. @returns seconds since the group took it in */
  consume(topic: string, count: number): Promise<number>;
  /** Removes the topics that begin with a prefix. */
  removeTopics(prefix: string): Promise<void>;
}

const batchRecords = 500;

/** @param brokers host:port, separated by commas */
export function bareKafka(brokers: string): BareKafka {
  const kafka = new kafkajs.Kafka({
    ...{ brokers: brokers.split(","), clientId: "headwater-bench", logLevel: kafkajs.logLevel.NOTHING },
  });
  return {
    async produce(topic, records) {
      const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
      await producer.connect();
      try {
        for (let at = 0; at < records.length; at += batchRecords) {
          const messages = records
            .slice(at, at + batchRecords)
            .map(({ key, value }) => ({ key, value: Buffer.from(value) }));
          await producer.send({ topic, messages, acks: -1 });
        }
      } finally {
        await producer.disconnect();
      }
    },
    async consume(topic, count) {
      const consumer = kafka.consumer({ groupId: `bare-${randomUUID()}`, maxWaitTimeInMs: 250 });
      await consumer.connect();
      try {
        await consumer.subscribe({ topic, fromBeginning: true });
        const done = Promise.withResolvers<number>();
        consumer.on(consumer.events.CRASH, ({ payload }) => done.reject(payload.error));
        let [seen, started] = [0, 0];
        consumer.on(consumer.events.GROUP_JOIN, () => {
          started = performance.now();
        });
        await consumer.run({
          autoCommit: false,
          eachBatch: async ({ batch }) => {
            seen += batch.messages.length;
            const offset = String(Number(batch.lastOffset()) + 1);
            await consumer.commitOffsets([{ topic, partition: batch.partition, offset }]);
            if (seen >= count) done.resolve((performance.now() - started) / 1000);
          },
        });
        return await done.promise;
      } finally {
        await consumer.disconnect();
      }
    },
    async removeTopics(prefix) {
      const admin = kafka.admin();
      await admin.connect();
      try {
        const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
        if (topics.length > 0) await admin.deleteTopics({ topics });
      } finally {
        await admin.disconnect();
      }
    },
  };
}
