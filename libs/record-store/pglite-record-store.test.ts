import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { temporaryFolder } from "@headwater/testing";
import { recordStoreConformance } from "./conformance.ts";
import { openMemoryDatabase } from "./pglite-database.ts";
import { openPgliteRecordStore } from "./pglite-record-store.ts";
import { vacuum } from "./pglite-vacuum.ts";
import { snapshotConformance } from "./snapshot-conformance.ts";

const folder = await temporaryFolder();
const shared = join(folder, "shared");

recordStoreConformance("PGlite", (schema) => openPgliteRecordStore({ folder: shared, schema }));
snapshotConformance("PGlite", (schema) => openPgliteRecordStore({ folder: undefined, schema }));

test("killed at random moments: what was committed is there, and no half of a transaction", async () => {
  const data = join(folder, "killed");
  const committed = new Set<number>();
  // As a process leaves it that dies while it makes the database.
  await mkdir(join(data, "postgres.unfinished", "base"), { recursive: true });
  await writeFile(join(data, "postgres.unfinished", "PG_VERSION"), "18\n");

  for (let round = 0; round < 3; round += 1) {
    const child = startInserting(data, round * 1_000_000);
    const killAfter = 10 + Math.floor(Math.random() * 200);
    let count = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      committed.add(Number(line));
      count += 1;
      if (count === killAfter) child.kill("SIGKILL");
    }
    assert.ok(count >= killAfter, `round ${round} ended by itself`);
  }

  const store = await openPgliteRecordStore({ folder: data, schema: "test" });
  const rows = await store.query<{ number: number; halves: number; length: number }>(
    "SELECT number, count(*) AS halves, max(length(text)) AS length FROM pairs GROUP BY number",
  );
  const found = new Map(rows.map((row) => [row.number, row]));
  for (const { number, halves, length } of rows) {
    assert.equal(halves, 2, `pair ${number} is half`);
    assert.equal(length, number % 2_000);
  }
  for (const number of committed) assert.ok(found.has(number), `pair ${number} is gone`);
  await store.close();
});

test("opens over a damaged postmaster.pid", async () => {
  for (const content of ["", "garbage", "1\n/somewhere/else\n"]) {
    await writeFile(join(shared, "postgres", "postmaster.pid"), content);
    const store = await openPgliteRecordStore({ folder: shared, schema: "test" });
    await store.checkHealth();
    await store.close();
  }
});

test("a folder has one opener at a time", async () => {
  const store = await openPgliteRecordStore({ folder: shared, schema: "test" });
  await assert.rejects(openPgliteRecordStore({ folder: shared, schema: "test" }), {
    reason: "HW_RECORDS_IN_USE",
  });
  await store.checkHealth();
  await store.close();
});

test("a commit reaches the disk before it is answered", async (context) => {
  const store = await openPgliteRecordStore({ folder: shared, schema: "durable" });
  const [setting] = await store.query("SELECT current_setting('fsync') AS fsync");
  assert.deepEqual(setting, { fsync: "on" });
  await store.query("CREATE TABLE IF NOT EXISTS t (id integer)");
  const fsync = context.mock.method(fs, "fsyncSync");
  syncBuiltinESMExports();
  await store.query("INSERT INTO t VALUES (1)");
  assert.ok(fsync.mock.callCount() > 0, "no fsync");
  fsync.mock.restore();
  syncBuiltinESMExports();
  await store.close();
});

test("a table that only changes does not grow without end", async () => {
  const { database, close } = await openMemoryDatabase();
  await database.exec("CREATE TABLE t (id integer PRIMARY KEY, text text)");
  await database.exec("INSERT INTO t SELECT id, repeat('a', 900) FROM generate_series(1, 1000) AS id");
  const sizes: number[] = [];
  for (let round = 0; round < 10; round += 1) {
    await database.exec("UPDATE t SET text = repeat('b', 900)");
    await vacuum(database, new AbortController().signal);
    const { rows } = await database.query<{ size: number }>("SELECT pg_relation_size('t') AS size");
    sizes.push(rows[0]?.size ?? 0);
  }
  await close();
  // Each round writes all rows anew, into what the round before has left.
  assert.equal(Math.max(...sizes), sizes[0], sizes.join(", "));
});

test("a store vacuums by itself", async () => {
  const store = await openPgliteRecordStore({ folder: undefined, schema: "test", vacuumEveryMs: 1 });
  await store.query("CREATE TABLE t (id integer PRIMARY KEY)");
  await store.query("INSERT INTO t SELECT generate_series(1, 1000)");
  await store.query("DELETE FROM t");
  const vacuums = () =>
    store.query<{ count: number }>(
      "SELECT vacuum_count AS count FROM pg_stat_user_tables WHERE relname = 't'",
    );
  while ((await vacuums())[0]?.count === 0) await setTimeout(1);
  await store.close();
});

test("stores in memory are apart", async () => {
  const [one, other] = await Promise.all(
    [1, 2].map(() => openPgliteRecordStore({ folder: undefined, schema: "test" })),
  );
  assert.ok(one && other);
  await one.query("CREATE TABLE t (id integer)");
  await assert.rejects(other.query("SELECT * FROM t"), { reason: "HW_RECORDS_FAILED" });
  await Promise.all([one.close(), other.close()]);
});

test("a name that is no schema is refused", async () => {
  for (const schema of ["", "Upper", 'a"; DROP TABLE x', "1a", "a".repeat(64)]) {
    await assert.rejects(openPgliteRecordStore({ folder: undefined, schema }), {
      reason: "HW_SCHEMA_INVALID",
    });
  }
});

function startInserting(data: string, first: number) {
  const path = join(import.meta.dirname, "fixtures", "inserting-process.ts");
  return spawn(process.execPath, [path, data, String(first)], { stdio: ["ignore", "pipe", "inherit"] });
}
