import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError, status } from "@headwater/errors";
import type { Broker, Cluster } from "kafkajs";
import type { LogRecord } from "./document-log.ts";
import { fromKafka, isOffsetOutOfRange } from "./kafka-error.ts";
import type { FetchedPartition } from "./kafka-internals.ts";
import { readBatch, readCommitted } from "./kafka-internals.ts";
import { PartitionBuffer } from "./kafka-partition-buffer.ts";
import { toLogRecord } from "./kafka-records.ts";
import type { ReceiveLimits } from "./take-in-turns.ts";
import { takeInTurns } from "./take-in-turns.ts";
import { Wakeups } from "./wakeups.ts";

export interface FetcherOptions {
  readonly cluster: Cluster;
  readonly topic: string;
  /** Told where a fetch failed; it is tried again. */
  readonly onError: (error: HeadwaterError) => void;
  /** Told where a partition has moved on without a record: over the marks of a transaction. */
  readonly onGap: (buffer: PartitionBuffer) => void;
}

/** Bytes of values that wait to be handed out; what one fetch brings may come on top. */
const maxBufferedBytes = 8 * 1024 * 1024;
/** Bytes of one partition that wait, beyond which the others are fetched first; and of one partition in one fetch. */
const maxPartitionBytes = 1024 * 1024;
/** Milliseconds for which a broker holds a fetch while it has nothing; a partition that was just given waits for it. */
const maxWaitMs = 250;
/** Milliseconds between two attempts where a broker fails. */
const retryMs = 500;

/** Fetches the partitions that were assigned to it, ahead of those who take, up to a bound. */
export class KafkaFetcher {
  readonly #options: FetcherOptions;
  readonly #buffers = new Map<number, PartitionBuffer>();
  /** Brokers that have a fetch under way. */
  readonly #busy = new Set<string>();
  readonly #fetches = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  /** When there may be something to take. */
  readonly arrivals = new Wakeups();
  /** When there may be something to fetch. */
  readonly #demand = new Wakeups();
  readonly #running: Promise<void>;
  /** Reason of the failure that was reported last; a row of equal ones is told once. */
  #reported = "";
  #turn = 0;

  constructor(options: FetcherOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  assign(partition: number, offset: number): PartitionBuffer {
    const buffer = new PartitionBuffer(partition, offset);
    this.#buffers.set(partition, buffer);
    this.#demand.wakeAll();
    return buffer;
  }

  revoke(partition: number): void {
    this.#buffers.delete(partition);
    this.#demand.wakeAll();
  }

  take(limits: ReceiveLimits): LogRecord[] {
    const partitions = [...this.#buffers.keys()].sort((a, b) => a - b);
    const read = (partition: number, room: ReceiveLimits) => this.#buffers.get(partition)?.take(room) ?? [];
    const taken = takeInTurns(partitions, this.#turn++, limits, read);
    if (taken.length > 0) this.#demand.wakeAll();
    return taken;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    await Promise.all(this.#fetches);
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const seen = this.#demand.count;
      try {
        for (const [broker, wanted] of await this.#plan()) this.#start(broker, wanted);
        await this.#demand.wait(seen, signal);
      } catch (thrown) {
        await this.#fail(thrown);
      }
    }
  }

  /** @returns broker → partitions to fetch from it */
  async #plan(): Promise<Map<string, PartitionBuffer[]>> {
    const { cluster, topic } = this.#options;
    const buffers = [...this.#buffers.values()];
    if (buffers.reduce((sum, { bytes }) => sum + bytes, 0) >= maxBufferedBytes) return new Map();
    const wanted = buffers.filter(({ bytes }) => bytes < maxPartitionBytes);
    if (wanted.length === 0) return new Map();
    await cluster.refreshMetadataIfNecessary();
    const leaders = cluster.findLeaderForPartitions(
      topic,
      wanted.map(({ partition }) => partition),
    );
    return new Map(
      Object.entries(leaders).map(([broker, partitions]) => [
        broker,
        wanted.filter(({ partition }) => partitions.includes(partition)),
      ]),
    );
  }

  #start(broker: string, wanted: readonly PartitionBuffer[]): void {
    if (this.#busy.has(broker)) return;
    this.#busy.add(broker);
    const fetch = this.#fetch(broker, wanted)
      .catch((thrown: unknown) => this.#fail(thrown))
      .finally(() => {
        this.#busy.delete(broker);
        this.#fetches.delete(fetch);
        this.#demand.wakeAll();
      });
    this.#fetches.add(fetch);
  }

  async #fetch(nodeId: string, wanted: readonly PartitionBuffer[]): Promise<void> {
    const { cluster, topic } = this.#options;
    const broker = await cluster.findBroker({ nodeId });
    // The offset that was asked for: the buffer may be given anew meanwhile, with another.
    const asked = new Map(wanted.map((buffer) => [buffer, buffer.fetchOffset]));
    const answer = await fetchPartitions(broker, topic, asked);
    this.#reported = "";
    for (const fetched of answer) {
      const buffer = this.#buffers.get(fetched.partition);
      const from = buffer && asked.get(buffer);
      // Revoked while the broker answered, or revoked and given back: then it begins where the group has committed.
      if (!buffer || from === undefined) continue;
      const { messages, next } = readBatch(topic, from, fetched);
      buffer.add(
        messages.map((message) => toLogRecord(fetched.partition, message)),
        next,
      );
      if (messages.length === 0 && next > from) this.#options.onGap(buffer);
    }
    this.arrivals.wakeAll();
  }

  /** Never rejects. */
  async #fail(thrown: unknown): Promise<void> {
    const { cluster, onError } = this.#options;
    const { signal } = this.#closing;
    if (signal.aborted) return;
    try {
      if (isOffsetOutOfRange(thrown)) return await this.#skipLostRecords();
      const error = fromKafka(thrown);
      if (this.#reported !== error.reason) onError(error);
      this.#reported = error.reason;
      await delay(retryMs, undefined, { signal });
      await cluster.refreshMetadata();
    } catch {
      // The next fetch meets the same trouble, and has it reported.
    }
  }

  /** Retention has dropped what was not yet read, or the topic was made anew. */
  async #skipLostRecords(): Promise<void> {
    const { cluster, topic, onError } = this.#options;
    const partitions = [...this.#buffers.keys()].map((partition) => ({ partition }));
    const [earliest] = await cluster.fetchTopicsOffset([{ topic, partitions, fromBeginning: true }]);
    const [latest] = await cluster.fetchTopicsOffset([{ topic, partitions, fromBeginning: false }]);
    const ends = new Map(latest?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
    for (const { partition, offset } of earliest?.partitions ?? []) {
      const buffer = this.#buffers.get(partition);
      const [start, end] = [Number(offset), ends.get(partition) ?? Number.POSITIVE_INFINITY];
      if (!buffer || (buffer.fetchOffset >= start && buffer.fetchOffset <= end)) continue;
      onError(recordsLost(partition, buffer.fetchOffset, start));
      buffer.skipTo(start);
    }
  }
}

function recordsLost(partition: number, from: number, to: number): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.DATA_LOSS, reason: "HW_LOG_RECORDS_EXPIRED" },
    message: `Partition ${partition} was read to offset ${from} and now begins at ${to}: records were dropped unread.`,
    action: "Raise retention.ms of the topic, or add consumers; push the documents again.",
  });
}

async function fetchPartitions(
  broker: Broker,
  topic: string,
  asked: ReadonlyMap<PartitionBuffer, number>,
): Promise<readonly FetchedPartition[]> {
  const partitions = [...asked].map(([{ partition }, offset]) => ({
    ...{ partition, fetchOffset: String(offset), maxBytes: maxPartitionBytes },
  }));
  const { responses }: { responses: { partitions: FetchedPartition[] }[] } = await broker.fetch({
    ...{ isolationLevel: readCommitted, maxWaitTime: maxWaitMs, minBytes: 1, maxBytes: maxBufferedBytes },
    topics: [{ topic, partitions }],
  });
  return responses.flatMap((response) => response.partitions);
}
