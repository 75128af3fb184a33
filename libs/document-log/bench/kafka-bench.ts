/**
 * Appends and receives records of 1 KB through the document log and through bare kafkajs, in turns on one broker, and
 * prints medians and ratios: `KAFKA_BROKERS=… node libs/document-log/bench/kafka-bench.ts [records]`.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { median } from "@headwater/testing/median";
import kafkajs from "kafkajs";
import type { DocumentLog, NewLogRecord } from "../document-log.ts";
import { openTestLog, removeTestTopics, testConnection, testOptions } from "../kafka-testing.ts";

const batch = 500;
const rounds = 3;
const brokers = process.env["KAFKA_BROKERS"];
const records = Number(process.argv[2] ?? 20_000);
/** What the six ways to append put into one topic. */
const appended = records * 6;
if (!brokers) throw new Error("KAFKA_BROKERS is not set");

const kafka = new kafkajs.Kafka({
  ...{ brokers: [...testConnection(brokers).brokers], clientId: "bench", logLevel: kafkajs.logLevel.NOTHING },
});
const value = randomBytes(768).toString("base64");
const results = new Map<string, number[]>();

for (let round = 0; round < rounds; round += 1) {
  const name = `bench-${randomUUID()}`;
  const { topic } = testOptions(brokers, name).topics;
  const log = await openTestLog(brokers, name);
  await measure("append, kafkajs, acks all", () => appendBare(topic, false));
  await measure("append, kafkajs, idempotent", () => appendBare(topic, true));
  await measure("append, log, one partition a call", () => appendLog(log, "single"));
  await measure("append, log, transactions", () => appendLog(log, "spread"));
  await measure("append, log, transactions, 4 callers", () => appendConcurrently(log, 4));
  await measure("append, log, single records, 500 callers", () => appendOneByOne(log));
  await measure("receive and commit, kafkajs", () => receiveBare(topic));
  await measure("receive and commit, log", () => receiveLog(log));
  await log.close();
}
await removeTestTopics(brokers);

for (const [what, speeds] of results) {
  const bare = what.startsWith("append") ? "append, kafkajs, idempotent" : "receive and commit, kafkajs";
  const ratio = median(speeds) / median(results.get(bare) ?? []);
  const line = `${what.padEnd(42)} ${Math.round(median(speeds)).toString().padStart(8)} records/s  ${ratio.toFixed(2)}`;
  process.stdout.write(`${line}\n`);
}

async function measure(what: string, work: () => Promise<number>): Promise<void> {
  results.set(what, [...(results.get(what) ?? []), await work()]);
}

/** @returns records a second */
function speed(count: number, started: number): number {
  return (count * 1_000) / (performance.now() - started);
}

function recordsOf(first: number, key: (number: number) => string): NewLogRecord[] {
  return Array.from({ length: batch }, (_, i) => ({
    ...{ key: key(first + i), value: Buffer.from(value), headers: {} },
  }));
}

async function appendBare(topic: string, idempotent: boolean): Promise<number> {
  const producer = kafka.producer({ idempotent, maxInFlightRequests: 1 });
  await producer.connect();
  const started = performance.now();
  for (let at = 0; at < records; at += batch) {
    const messages = recordsOf(at, (number) => `t/${number}`).map((one) => ({ key: one.key, value }));
    await producer.send({ topic, messages, acks: -1 });
  }
  const result = speed(records, started);
  await producer.disconnect();
  return result;
}

async function appendLog(log: DocumentLog, kind: "single" | "spread"): Promise<number> {
  const started = performance.now();
  for (let at = 0; at < records; at += batch)
    await log.append(recordsOf(at, (number) => (kind === "single" ? `t/${at}` : `t/${number}`)));
  return speed(records, started);
}

async function appendConcurrently(log: DocumentLog, callers: number): Promise<number> {
  const started = performance.now();
  const share = async (caller: number) => {
    for (let at = caller * batch; at < records; at += callers * batch)
      await log.append(recordsOf(at, (number) => `t/${number}`));
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => share(caller)));
  return speed(records, started);
}

async function appendOneByOne(log: DocumentLog): Promise<number> {
  const started = performance.now();
  for (let at = 0; at < records; at += batch)
    await Promise.all(recordsOf(at, (number) => `t/${number}`).map((one) => log.append([one])));
  return speed(records, started);
}

/** Joining the group is part of it. */
async function receiveBare(topic: string): Promise<number> {
  const consumer = kafka.consumer({ groupId: `bare-${randomUUID()}`, maxWaitTimeInMs: 250 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  let count = 0;
  const started = performance.now();
  const { promise, resolve } = Promise.withResolvers<number>();
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch: fetched }) => {
      count += fetched.messages.length;
      const offset = String(Number(fetched.lastOffset()) + 1);
      await consumer.commitOffsets([{ topic, partition: fetched.partition, offset }]);
      if (count >= appended) resolve(speed(count, started));
    },
  });
  const result = await promise;
  await consumer.disconnect();
  return result;
}

/** Likewise. */
async function receiveLog(log: DocumentLog): Promise<number> {
  const started = performance.now();
  const consumer = await log.subscribe(`log-${randomUUID()}`);
  let count = 0;
  while (count < appended) {
    const received = await consumer.receive(
      { maxRecords: 5_000, maxBytes: 8e6 },
      AbortSignal.timeout(60_000),
    );
    count += received.length;
    const ends = new Map(received.map(({ partition, offset }) => [partition, offset + 1]));
    for (const [partition, offset] of ends) await consumer.commit({ partition, offset });
  }
  const result = speed(count, started);
  await consumer.close();
  // Its fetches under way end with it.
  await delay(10);
  return result;
}
