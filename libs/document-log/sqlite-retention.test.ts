import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { temporaryFolder, until } from "@headwater/testing";
import type { DocumentLog, LogConsumer } from "./document-log.ts";
import { openSqliteDocumentLog } from "./sqlite-document-log.ts";

const folder = await temporaryFolder();

test("committed records are dropped, the disk stays bounded, dead letters and positions stay", async () => {
  const data = join(folder, "bounded");
  const log = await openSqliteDocumentLog({ folder: data, partitions: 2, retentionMs: 1 });
  const consumer = await log.subscribe("g");
  const sizes: number[] = [];
  for (let round = 0; round < 6; round += 1) {
    await appendMegabytes(log, 8);
    const records = await consumeAll(log, consumer);
    if (round === 0 && records[0]) await log.addDeadLetter(records[0], failure);
    await until("all records are dropped", () => keptRecords(data) === 0);
    sizes.push((await stat(join(data, "document-log.sqlite"))).size);
  }
  assert.ok(Math.max(...sizes) < 24 * 2 ** 20, `grew: ${sizes.join(", ")}`);

  const [letter] = (await log.listDeadLetters({ limit: 1 })).deadLetters;
  assert.equal(letter?.record.value?.length, 100_000);
  const [position] = await log.append([{ key: "t/0", value: null, headers: {} }]);
  assert.ok((position?.offset ?? 0) > 100, "positions began anew");
  await log.close();
});

test("a group that is behind holds its records, and a new group begins at the first that is kept", async () => {
  const data = join(folder, "held");
  const log = await openSqliteDocumentLog({ folder: data, partitions: 1, retentionMs: 1 });
  const slow = await log.subscribe("slow");
  const fast = await log.subscribe("fast");
  await log.append(
    Array.from({ length: 10 }, (_, i) => ({ key: "t/1", value: Buffer.from([i]), headers: {} })),
  );
  await fast.commit(await lastReceived(fast));
  await lastReceived(slow);
  await slow.commit({ partition: 0, offset: 4 });
  await until("six records are kept", () => keptRecords(data) === 6);
  const late = await log.subscribe("late");
  const records = await late.receive({ maxRecords: 100, maxBytes: 1e6 }, AbortSignal.timeout(5_000));
  assert.deepEqual(
    records.map(({ offset }) => offset),
    [4, 5, 6, 7, 8, 9],
  );
  assert.deepEqual(await log.lag("another"), [{ partition: 0, endOffset: 10, committedOffset: 4 }]);
  await log.close();
});

test("records stay for the retention", async () => {
  const data = join(folder, "kept");
  const log = await openSqliteDocumentLog({ folder: data, partitions: 1, retentionMs: 150 });
  const consumer = await log.subscribe("g");
  const appended = Date.now();
  await log.append([{ key: "t/1", value: null, headers: {} }]);
  await consumer.commit(await lastReceived(consumer));
  await until("all records are dropped", () => keptRecords(data) === 0);
  assert.ok(Date.now() - appended >= 150);
  await log.close();
});

const failure = { stage: "parse", reason: "HW_TEST", message: "no", attempts: 1 };

async function appendMegabytes(log: DocumentLog, count: number): Promise<void> {
  const value = Buffer.alloc(100_000, 1);
  for (let i = 0; i < count * 10; i += 1) await log.append([{ key: `t/${i}`, value, headers: {} }]);
}

async function consumeAll(log: DocumentLog, consumer: LogConsumer) {
  const records = [];
  while ((await log.lag("g")).some(({ endOffset, committedOffset }) => committedOffset < endOffset)) {
    const some = await consumer.receive({ maxRecords: 50, maxBytes: 1e8 }, AbortSignal.timeout(5_000));
    for (const { partition, offset } of some) await consumer.commit({ partition, offset: offset + 1 });
    records.push(...some);
  }
  return records;
}

async function lastReceived(consumer: LogConsumer) {
  const records = await consumer.receive({ maxRecords: 100, maxBytes: 1e6 }, AbortSignal.timeout(5_000));
  const last = records.at(-1);
  assert.ok(last);
  return { partition: last.partition, offset: last.offset + 1 };
}

function keptRecords(data: string): number {
  const database = new DatabaseSync(join(data, "document-log.sqlite"), { readOnly: true });
  try {
    return Number(database.prepare("SELECT count(*) AS kept FROM records").get()?.["kept"]);
  } finally {
    database.close();
  }
}
