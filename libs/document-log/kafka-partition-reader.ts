import type { Cluster } from "kafkajs";
import type { LogRecord } from "./document-log.ts";
import type { FetchedPartition } from "./kafka-internals.ts";
import { readBatch, readCommitted } from "./kafka-internals.ts";
import { toLogRecord } from "./kafka-records.ts";
import type { KafkaSession } from "./kafka-session.ts";

/** Bytes of one answer. */
const maxBytes = 4 * 1024 * 1024;
/** Milliseconds for which the broker waits for more: it answers at once. */
const maxWaitTime = 1;

export interface PartitionPage {
  readonly records: readonly LogRecord[];
  /** Offset behind all of the page, gaps included. */
  readonly next: number;
  /** Offset behind all that can be read now. */
  readonly end: number;
}

/** Reads one partition at any offset, without a consumer group. */
export class KafkaPartitionReader {
  readonly #session: KafkaSession<Cluster>;
  readonly #topic: string;
  readonly #partition: number;

  constructor(session: KafkaSession<Cluster>, topic: string, partition: number) {
    this.#session = session;
    this.#topic = topic;
    this.#partition = partition;
  }

  /** Offset of the first record that retention has left. */
  start(): Promise<number> {
    return this.#session.use(async (cluster) => {
      await this.#refresh(cluster);
      const partitions = [{ partition: this.#partition }];
      const [found] = await cluster.fetchTopicsOffset([
        { topic: this.#topic, partitions, fromBeginning: true },
      ]);
      return Number(found?.partitions[0]?.offset);
    });
  }

  /** @throws what kafkajs threw; see `isOffsetOutOfRange` */
  read(from: number): Promise<PartitionPage> {
    return this.#session.use(async (cluster) => {
      await this.#refresh(cluster);
      const [leader] = Object.keys(cluster.findLeaderForPartitions(this.#topic, [this.#partition]));
      const broker = await cluster.findBroker({ nodeId: String(leader) });
      const wanted = { partition: this.#partition, fetchOffset: String(from), maxBytes };
      const { responses }: { responses: { partitions: FetchedPartition[] }[] } = await broker.fetch({
        ...{ isolationLevel: readCommitted, maxWaitTime, minBytes: 1, maxBytes },
        topics: [{ topic: this.#topic, partitions: [wanted] }],
      });
      const fetched = responses[0]?.partitions[0];
      if (!fetched) return { records: [], next: from, end: from };
      const { messages, next } = readBatch(this.#topic, from, fetched);
      return {
        records: messages.map((message) => toLogRecord(this.#partition, message)),
        ...{ next, end: Number(fetched.lastStableOffset) },
      };
    });
  }

  /** The records at `offsets`, which ascend; without those that retention has dropped. */
  async readAt(offsets: readonly number[]): Promise<LogRecord[]> {
    const found: LogRecord[] = [];
    let covered = 0;
    for (const offset of offsets) {
      if (offset < covered) continue;
      const page = await this.read(offset);
      const wanted = new Set(offsets);
      found.push(...page.records.filter((record) => wanted.has(record.offset)));
      covered = page.next;
    }
    return found;
  }

  async #refresh(cluster: Cluster): Promise<void> {
    await cluster.addTargetTopic(this.#topic);
    await cluster.refreshMetadataIfNecessary();
  }
}
