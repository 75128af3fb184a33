import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { realServer, until } from "@headwater/testing";
import { anyLimits, behind, commitAll, deadline, receiveCount, record } from "./conformance-helpers.ts";
import type { DocumentLog } from "./document-log.ts";
import type { WorkerEvent } from "./fixtures/kafka-worker.ts";
import { work } from "./fixtures/kafka-worker.ts";
import { openTestLog, removeTestTopics, testOptions } from "./kafka-testing.ts";

const brokers = realServer("KAFKA_BROKERS");

if (brokers) {
  after(() => removeTestTopics(brokers));
  registerTests(brokers);
}

function registerTests(brokers: string): void {
  test("consumers come, leave and are killed under load: nothing is lost, and each key keeps its order", async (context) => {
    const name = `rebalance-${randomUUID()}`;
    const log = await openTestLog(brokers, name);
    context.after(() => log.close());
    const events: WorkerEvent[] = [];
    const onEvent = (event: WorkerEvent) => events.push(event);
    const inProcess = () => startWorker(log, onEvent);
    const load = startLoad(log);
    const sees = (count: number) => until(`${count} events are seen`, () => events.length >= count);

    const [first, second] = [inProcess(), inProcess()];
    await sees(500);
    const child = spawnWorker(brokers, name, onEvent);
    await until("the other process receives", () => child.events() > 100);
    const third = inProcess();
    await sees(events.length + 500);
    await first.stop();
    await sees(events.length + 500);
    child.process.kill("SIGKILL");
    await child.ended;
    await second.stop();
    await sees(events.length + 500);
    const fourth = inProcess();
    await sees(events.length + 500);
    const appended = await load.stop();
    await until("nothing is left", async () => behind(await log.lag("g")) === 0);
    await Promise.all([third.stop(), fourth.stop()]);
    await log.close();

    check(events, appended);
  });

  test("a partition that stays with its owner is neither revoked nor read again", async (context) => {
    const name = `sticky-${randomUUID()}`;
    const log = await openTestLog(brokers, name);
    context.after(() => log.close());
    await log.append(Array.from({ length: 200 }, (_, i) => record(`t/${i}`, i)));
    const one = await log.subscribe("g");
    const revoked: number[] = [];
    one.onRevoked((partitions) => revoked.push(...partitions));
    await receiveCount(one, 200);
    const two = await log.subscribe("g");
    await until("partitions are revoked", () => revoked.length > 0);
    assert.equal(revoked.length, log.partitions / 2);
    const anew = await receiveSome(two, new Set(revoked), 200);
    assert.deepEqual(new Set(anew.map(({ partition }) => partition)), new Set(revoked));
    // What `one` still holds goes on behind what it received, though it has committed nothing.
    await log.append(Array.from({ length: 200 }, (_, i) => record(`t/${i}`, 1_000 + i)));
    const [next] = await one.receive({ maxRecords: 1, maxBytes: 1 }, deadline());
    assert.ok(next && Number.parseInt(Buffer.from(next.value ?? "").toString(), 10) >= 1_000);
    assert.equal(revoked.includes(next.partition), false);
  });

  test("a consumer that does not ask for longer than its session stays in the group", async (context) => {
    const name = `busy-${randomUUID()}`;
    const log = await openTestLog(brokers, name);
    context.after(() => log.close());
    // More than is fetched ahead, so that the fetching stands still too.
    for (let i = 0; i < 24; i += 1) await log.append([record(`t/${i}`, i, 900_000)]);
    const consumer = await log.subscribe("g");
    const revoked: number[] = [];
    consumer.onRevoked((partitions) => revoked.push(...partitions));
    const received = [...(await consumer.receive(anyLimits, deadline()))];
    await delay(testOptions(brokers, name).sessionTimeoutMs + 3_000);
    assert.deepEqual(revoked, []);
    while (received.length < 24) received.push(...(await consumer.receive(anyLimits, deadline())));
    await commitAll(consumer, received);
    assert.equal(behind(await log.lag("g")), 0);
  });
}

/** Appends records of 40 keys, each numbered by its key, until it is stopped. */
function startLoad(log: DocumentLog) {
  const sequences = new Map<string, number>();
  let stopping = false;
  const running = (async () => {
    while (!stopping) {
      const records = Array.from({ length: 40 }, (_, i) => {
        const key = `t/${i}`;
        const sequence = sequences.get(key) ?? 0;
        sequences.set(key, sequence + 1);
        return record(key, sequence);
      });
      await log.append(records);
      await delay(20);
    }
  })();
  return {
    stop: async () => {
      stopping = true;
      await running;
      return sequences;
    },
  };
}

function startWorker(log: DocumentLog, onEvent: (event: WorkerEvent) => void) {
  const abort = new AbortController();
  const running = work(log, "g", abort.signal, onEvent);
  return {
    stop: async () => {
      abort.abort();
      await running;
    },
  };
}

function spawnWorker(brokers: string, name: string, onEvent: (event: WorkerEvent) => void) {
  const file = join(import.meta.dirname, "fixtures", "kafka-consuming-process.ts");
  const child = spawn(process.execPath, [file, brokers, name, "g"], { stdio: ["ignore", "pipe", "inherit"] });
  let events = 0;
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => {
    events += 1;
    onEvent(JSON.parse(line));
  });
  // What it wrote before it was killed is still read.
  const ended = Promise.all([once(child, "exit"), once(lines, "close")]);
  return { process: child, ended, events: () => events };
}

function check(events: readonly WorkerEvent[], appended: ReadonlyMap<string, number>): void {
  const seen = new Map<string, number>();
  const committed = new Map<number, number>();
  let repeated = 0;
  for (const event of events.toSorted((a, b) => a.at - b.at)) {
    const { partition, offset } = event;
    if (event.kind === "committed") {
      committed.set(partition, Math.max(offset, committed.get(partition) ?? 0));
      continue;
    }
    const { key = "", sequence = Number.NaN } = event;
    assert.ok(offset >= (committed.get(partition) ?? 0), `${partition}/${offset} again after its commit`);
    const next = seen.get(key) ?? 0;
    assert.ok(sequence <= next, `${key}: ${sequence} before ${next}`);
    if (sequence < next) repeated += 1;
    seen.set(key, Math.max(next, sequence + 1));
  }
  assert.deepEqual(seen, new Map([...seen.keys()].map((key) => [key, appended.get(key)])));
  assert.equal(seen.size, appended.size);
  const received = events.filter(({ kind }) => kind === "received").length;
  assert.ok(repeated < received / 4, `${repeated} of ${received} were received again`);
}

async function receiveSome(
  consumer: Awaited<ReturnType<DocumentLog["subscribe"]>>,
  partitions: ReadonlySet<number>,
  most: number,
) {
  const received = [];
  while (new Set(received.map(({ partition }) => partition)).size < partitions.size && received.length < most)
    received.push(...(await consumer.receive(anyLimits, deadline())));
  return received;
}
