import { setTimeout as delay } from "node:timers/promises";
import type { Admin } from "kafkajs";
import kafkajs, { Kafka, logLevel } from "kafkajs";

/** How far a consumer group is, over all partitions. */
interface Position {
  readonly committed: number;
  readonly lag: number;
}

const pauseMs = 100;

/** Watches, past all of ingest, how a consumer group goes through its topic. */
export class Progress {
  readonly #kafka: Kafka;
  readonly #topic: string;
  readonly #group: string;
  #admin: Admin | undefined;

  constructor(brokers: string, topic: string, group: string) {
    this.#kafka = new Kafka({
      brokers: brokers.split(","),
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    });
    this.#topic = topic;
    this.#group = group;
  }

  /** Waits until a broker answers. */
  async now(signal: AbortSignal): Promise<Position> {
    while (true) {
      try {
        return await this.#read();
      } catch (thrown) {
        // The broker is away, which is what these tests are about.
        if (!(thrown instanceof kafkajs.KafkaJSError)) throw thrown;
        await this.#disconnect();
        await delay(pauseMs, undefined, { signal });
      }
    }
  }

  /** Waits until more is done than `committed`. */
  async beyond(committed: number, signal: AbortSignal): Promise<void> {
    while ((await this.now(signal)).committed <= committed) await delay(pauseMs, undefined, { signal });
  }

  /** Waits until all is done. */
  async finished(signal: AbortSignal): Promise<void> {
    while ((await this.now(signal)).lag > 0) await delay(pauseMs, undefined, { signal });
  }

  async close(): Promise<void> {
    await this.#disconnect();
  }

  async #read(): Promise<Position> {
    this.#admin ??= await this.#connect();
    // One after the other: kafkajs loses its way where the first two requests come at one time.
    const ends = await this.#admin.fetchTopicOffsets(this.#topic);
    const groups = await this.#admin.fetchOffsets({ groupId: this.#group, topics: [this.#topic] });
    const done = new Map(
      groups.flatMap(({ partitions }) => partitions.map(({ partition, offset }) => [partition, offset])),
    );
    // A group that has not committed yet says -1.
    const committed = ends.map(({ partition }) => Math.max(0, Number(done.get(partition) ?? 0)));
    const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
    return {
      committed: sum(committed),
      lag: sum(ends.map(({ offset }) => Number(offset))) - sum(committed),
    };
  }

  async #connect(): Promise<Admin> {
    const admin = this.#kafka.admin();
    await admin.connect();
    return admin;
  }

  async #disconnect(): Promise<void> {
    await this.#admin?.disconnect().catch(() => {});
    this.#admin = undefined;
  }
}
