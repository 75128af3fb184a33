import { setTimeout as delay } from "node:timers/promises";
import { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import { createRpcClient } from "@headwater/rpc";
import type { SeededRandom } from "@headwater/testing/seeded-random";
import type { Producer } from "kafkajs";
import kafkajs, { Kafka, logLevel, Partitioners } from "kafkajs";
import type { Step } from "../kill/workload.ts";
import { send } from "../kill/workload.ts";
import type { EventRecord } from "./workload.ts";

export interface Pace {
  readonly random: SeededRandom;
  /** Milliseconds between two batches, about. */
  readonly pauseMs: number;
  /** The last part is kept back until it resolves, so that a fault never comes when all is done. */
  readonly gate: Promise<void>;
  readonly signal: AbortSignal;
}

/** Of all that is to be sent, what is kept back. */
const keptBack = 1 / 3;
const retryPauseMs = 200;

/**
 * Writes events as any producer would, at least once: a batch that was not acknowledged is sent again. Each batch waits
 * for the one before, and none goes on with a document after its tombstone: a tombstone has no version, so one that
 * came a second time would delete what was written after the first.
 */
export async function produce(
  { brokers, topic }: { readonly brokers: string; readonly topic: string },
  records: readonly EventRecord[],
  { random, pauseMs, gate, signal }: Pace,
): Promise<void> {
  const kafka = new Kafka({ brokers: brokers.split(","), logLevel: logLevel.NOTHING, retry: { retries: 1 } });
  let producer: Producer | undefined;
  const batches = toBatches(records, random);
  try {
    for (const [at, batch] of batches.entries()) {
      if (at === Math.floor(batches.length * (1 - keptBack))) await gate;
      const messages = batch.map(({ key, value }) => ({ key, value }));
      for (let sent = false; !sent; ) {
        signal.throwIfAborted();
        try {
          producer ??= await connect(kafka);
          await producer.send({ topic, acks: -1, messages });
          sent = true;
        } catch (thrown) {
          // The broker is away: whether it has the batch is not known.
          if (!(thrown instanceof kafkajs.KafkaJSError)) throw thrown;
          await producer?.disconnect().catch(() => {});
          producer = undefined;
          await delay(retryPauseMs, undefined, { signal });
        }
      }
      await delay(random.integer(0, 2 * pauseMs), undefined, { signal });
    }
  } finally {
    await producer?.disconnect();
  }
}

/**
 * Pushes documents to whichever process of ingest is there, and goes on with the next where one is killed.
 *
 * @param address of a process that runs, as far as one knows
 */
export async function push(
  address: () => string,
  tenant: string,
  steps: readonly Step[],
  { random, pauseMs, gate, signal }: Pace,
): Promise<void> {
  const early = Math.floor(steps.length * (1 - keptBack));
  let sent = 0;
  while (sent < steps.length) {
    signal.throwIfAborted();
    if (sent >= early) await gate;
    const client = createRpcClient(IngestServiceDefinition, address());
    const end = Math.min(steps.length, sent < early ? early : steps.length, sent + random.integer(1, 10));
    try {
      sent += await send(client, steps.slice(sent, end), tenant);
    } finally {
      client.close();
    }
    await delay(sent < end ? retryPauseMs : random.integer(0, 4 * pauseMs), undefined, { signal });
  }
}

async function connect(kafka: Kafka): Promise<Producer> {
  const producer = kafka.producer({
    ...{ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false },
    ...{ createPartitioner: Partitioners.DefaultPartitioner, retry: { retries: 1 } },
  });
  await producer.connect();
  return producer;
}

function toBatches(records: readonly EventRecord[], random: SeededRandom): EventRecord[][] {
  const batches: EventRecord[][] = [];
  let batch: EventRecord[] = [];
  let size = random.integer(1, 8);
  const deleted = new Set<string>();
  for (const record of records) {
    if (batch.length >= size || deleted.has(record.key)) {
      batches.push(batch);
      batch = [];
      size = random.integer(1, 8);
      deleted.clear();
    }
    batch.push(record);
    if (record.value === null) deleted.add(record.key);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
