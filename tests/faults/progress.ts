import { setTimeout as delay } from "node:timers/promises";
import { documentLogSettings, openDocumentLog } from "@headwater/document-log";
import { readSettings } from "@headwater/settings";
import type { Admin } from "kafkajs";
import kafkajs, { Kafka, logLevel } from "kafkajs";

const pauseMs = 100;

/** Waits until a group has done all that is in the log. @param environment settings of an installation */
export async function untilDone(
  environment: Record<string, string>,
  group: string,
  signal: AbortSignal,
): Promise<void> {
  const log = await openDocumentLog(readSettings(documentLogSettings, environment), { folder: "" });
  try {
    while ((await log.lag(group)).some(({ endOffset, committedOffset }) => endOffset > committedOffset))
      await delay(pauseMs, undefined, { signal });
  } finally {
    await log.close();
  }
}

/**
 * Watches, past all of ingest, how a consumer group goes on. Only that: the ends of partitions, as kafkajs tells them, are
 * too low while a transaction is open, and a process that was killed may leave one open for seconds.
 */
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

  /** Events that are committed, over all partitions; waits until a broker answers. */
  async committed(signal: AbortSignal): Promise<number> {
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
    while ((await this.committed(signal)) <= committed) await delay(pauseMs, undefined, { signal });
  }

  async close(): Promise<void> {
    await this.#disconnect();
  }

  async #read(): Promise<number> {
    this.#admin ??= await this.#connect();
    const groups = await this.#admin.fetchOffsets({ groupId: this.#group, topics: [this.#topic] });
    // A group that has not committed in a partition says -1.
    return groups
      .flatMap(({ partitions }) => partitions)
      .reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
  }

  async #connect(): Promise<Admin> {
    const admin = this.#kafka.admin();
    await admin.connect();
    // kafkajs knows no broker to ask for the group's coordinator before it has asked for a topic.
    await admin.fetchTopicMetadata({ topics: [this.#topic] });
    return admin;
  }

  async #disconnect(): Promise<void> {
    await this.#admin?.disconnect().catch(() => {});
    this.#admin = undefined;
  }
}
