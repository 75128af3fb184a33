import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { openSqliteDocumentLog } from "./sqlite-document-log.ts";

const folder = await temporaryFolder();

test("killed at random moments: what was acknowledged is there once, and commits never go back", async () => {
  const data = join(folder, "killed");
  const acknowledged = new Set<number>();
  const committed = new Map<number, number>();
  for (let round = 0; round < 8; round += 1) {
    const child = startChild("appending-process.ts", data, String(round * 1_000_000));
    const lines = linesOf(child);
    let count = 0;
    const killAfter = 20 + Math.floor(Math.random() * 400);
    for await (const line of lines) {
      const [kind, first, second] = line.split(" ");
      if (kind === "a") acknowledged.add(Number(first));
      else committed.set(Number(first), Math.max(Number(second), committed.get(Number(first)) ?? 0));
      count += 1;
      if (count === killAfter) child.kill("SIGKILL");
    }
    assert.ok(count >= killAfter, `round ${round} ended by itself`);
  }

  const log = await openSqliteDocumentLog({ folder: data });
  const seen = new Map<number, number>();
  const ends = (await log.lag("reader")).reduce((sum, { endOffset }) => sum + endOffset, 0);
  const consumer = await log.subscribe("reader");
  const next = new Map<number, number>();
  for (let received = 0; received < ends; ) {
    const records = await consumer.receive({ maxRecords: 500, maxBytes: 1e7 }, AbortSignal.timeout(10_000));
    received += records.length;
    for (const { partition, offset, value } of records) {
      assert.equal(offset, next.get(partition) ?? 0, "a gap");
      next.set(partition, offset + 1);
      const number = Number.parseInt(Buffer.from(value ?? "").toString(), 10);
      seen.set(number, (seen.get(number) ?? 0) + 1);
    }
  }
  assert.ok(acknowledged.size > 100, `only ${acknowledged.size} records: the test proves nothing`);
  for (const number of acknowledged) assert.equal(seen.get(number), 1, `record ${number}`);
  for (const [number, times] of seen) assert.equal(times, 1, `record ${number}, not acknowledged`);
  for (const { partition, committedOffset, endOffset } of await log.lag("g")) {
    assert.ok(committedOffset >= (committed.get(partition) ?? 0), `partition ${partition} went back`);
    assert.ok(committedOffset <= endOffset);
  }
  await log.close();
});

test("the partitions of a killed process are taken over at once", async () => {
  const data = join(folder, "dead-owner");
  // A lease that cannot run out in this test: only the death of the process can free the partitions.
  const leaseMs = 60_000;
  const log = await openSqliteDocumentLog({ folder: data, leaseMs });
  await log.append([{ key: "t/1", value: Buffer.from("1"), headers: {} }]);
  const child = startChild("consuming-process.ts", data, String(leaseMs));
  await lineThat(child, (line) => line === "holding");
  child.kill("SIGKILL");
  await once(child, "exit");
  const consumer = await log.subscribe("g");
  const records = await consumer.receive({ maxRecords: 1, maxBytes: 1e6 }, AbortSignal.timeout(5_000));
  assert.equal(records.length, 1);
  await log.close();
});

test("a stopped process loses its partitions after its lease, and its late commit is ignored", async () => {
  const data = join(folder, "stopped-owner");
  const leaseMs = 600;
  const log = await openSqliteDocumentLog({ folder: data, leaseMs });
  const keys = Array.from({ length: 40 }, (_, i) => `t/${i}`);
  await log.append(keys.map((key) => ({ key, value: Buffer.from(key), headers: {} })));
  const child = startChild("consuming-process.ts", data, String(leaseMs));
  await lineThat(child, (line) => line === "holding");
  child.kill("SIGSTOP");

  const consumer = await log.subscribe("g");
  const received = new Set<string>();
  while (received.size < keys.length) {
    const records = await consumer.receive({ maxRecords: 100, maxBytes: 1e6 }, AbortSignal.timeout(10_000));
    for (const { key } of records) received.add(key);
  }
  const before = await log.lag("g");
  child.kill("SIGCONT");
  child.stdin?.write("commit\n");
  await lineThat(child, (line) => line === "done");
  assert.deepEqual(await log.lag("g"), before);
  if (child.exitCode === null) await once(child, "exit");
  await log.close();
});

function startChild(file: string, ...parameters: string[]): ChildProcess {
  const path = join(import.meta.dirname, "fixtures", file);
  return spawn(process.execPath, [path, ...parameters], { stdio: ["pipe", "pipe", "inherit"] });
}

function linesOf(child: ChildProcess): AsyncIterable<string> {
  assert.ok(child.stdout);
  return createInterface({ input: child.stdout });
}

async function lineThat(child: ChildProcess, matches: (line: string) => boolean): Promise<void> {
  assert.ok(child.stdout);
  const { stdout } = child;
  let rest = "";
  await new Promise<void>((resolve, reject) => {
    stdout.on("data", (piece: Buffer) => {
      const lines = (rest + piece.toString()).split("\n");
      rest = lines.pop() ?? "";
      if (lines.some(matches)) resolve();
    });
    child.once("exit", () => reject(new Error("the process ended early")));
  });
}
