import assert from "node:assert/strict";
import type { DocumentLog, LogConsumer, LogRecord, NewLogRecord } from "./document-log.ts";

/** Milliseconds that a shared group may take to settle; brokers wait for members before they share anew. */
const settleTimeout = 20_000;

export const anyLimits = { maxRecords: 1_000, maxBytes: 16 * 1024 * 1024 };

/** Receives and commits until it is stopped. */
export class Worker {
  readonly partitions = new Set<number>();
  lastPartitions: ReadonlySet<number> = new Set();
  readonly #abort = new AbortController();
  readonly #consumer: LogConsumer;
  readonly #running: Promise<void>;

  constructor(consumer: LogConsumer) {
    this.#consumer = consumer;
    this.#running = this.#run();
  }

  forget(): void {
    this.partitions.clear();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
    await this.#consumer.close();
  }

  async #run(): Promise<void> {
    try {
      while (true) {
        const records = await this.#consumer.receive({ maxRecords: 10, maxBytes: 1e6 }, this.#abort.signal);
        for (const { partition } of records) this.partitions.add(partition);
        this.lastPartitions = new Set(this.partitions);
        await commitAll(this.#consumer, records);
      }
    } catch (thrown) {
      if (!this.#abort.signal.aborted) throw thrown;
    }
  }
}

export function record(key: string, version: number, padding = 0): NewLogRecord {
  return { key, value: Buffer.from(`${version} ${"x".repeat(padding)}`), headers: {} };
}

export function versionOf({ value }: LogRecord): number {
  return Number.parseInt(Buffer.from(value ?? "").toString(), 10);
}

export function failure(about: string) {
  return { stage: "parse", reason: "HW_TEST", message: `could not parse ${about}`, attempts: 3 };
}

export function comparable(one: LogRecord) {
  return { ...one, headers: { ...one.headers }, value: one.value && Buffer.from(one.value).toString("hex") };
}

export function behind(lag: Awaited<ReturnType<DocumentLog["lag"]>>): number {
  return lag.reduce((sum, { endOffset, committedOffset }) => sum + endOffset - committedOffset, 0);
}

export function deadline(): AbortSignal {
  return AbortSignal.timeout(settleTimeout);
}

/** Exactly `count` records; fails when more come, or too few in time. */
export async function receiveCount(consumer: LogConsumer, count: number): Promise<LogRecord[]> {
  const received: LogRecord[] = [];
  const signal = deadline();
  while (received.length < count) received.push(...(await consumer.receive(anyLimits, signal)));
  assert.equal(received.length, count);
  return received;
}

export async function commitAll(consumer: LogConsumer, records: readonly LogRecord[]): Promise<void> {
  const ends = new Map<number, number>();
  for (const { partition, offset } of records)
    ends.set(partition, Math.max(offset + 1, ends.get(partition) ?? 0));
  for (const [partition, offset] of ends) await consumer.commit({ partition, offset });
}

export async function pollUntilAborted(consumer: LogConsumer, signal: AbortSignal): Promise<void> {
  try {
    while (true) await consumer.receive(anyLimits, signal);
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  }
}
