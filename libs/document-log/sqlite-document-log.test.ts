import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { status } from "@headwater/errors";
import { smallDisk, temporaryFolder } from "@headwater/testing";
import { documentLogConformance } from "./conformance.ts";
import { openSqliteDocumentLog } from "./sqlite-document-log.ts";

const folder = await temporaryFolder();
const disk = await smallDisk(8);

documentLogConformance("SQLite", (name) => openSqliteDocumentLog({ folder: join(folder, name) }));

test("the number of partitions is fixed when the log is made", async () => {
  const data = join(folder, "partitions");
  const log = await openSqliteDocumentLog({ folder: data, partitions: 3 });
  assert.equal(log.partitions, 3);
  await log.close();
  const again = await openSqliteDocumentLog({ folder: data });
  assert.equal(again.partitions, 3);
  await again.close();
  await assert.rejects(openSqliteDocumentLog({ folder: data, partitions: 4 }), {
    reason: "HW_LOG_PARTITIONS_CHANGED",
    message: "The document log has 3 partitions and was opened with 4.",
  });
  await assert.rejects(openSqliteDocumentLog({ folder: data, partitions: 0 }), {
    reason: "HW_LOG_PARTITIONS_INVALID",
  });
});

test("bad records are refused at the edge and fail none of the others", async () => {
  const log = await openSqliteDocumentLog({ folder: join(folder, "bad"), maxRecordBytes: 1_000 });
  const good = log.append([{ key: "t/1", value: Buffer.alloc(1_000), headers: {} }]);
  const tooLarge = { key: "t/1", value: Buffer.alloc(1_001), headers: {} };
  await assert.rejects(log.append([tooLarge]), { reason: "HW_LOG_RECORD_TOO_LARGE" });
  for (const key of ["", "t/\ud800"]) {
    await assert.rejects(log.append([{ key, value: null, headers: {} }]), { reason: "HW_LOG_KEY_INVALID" });
  }
  assert.equal((await good).length, 1);
  await log.close();
});

test("a commit beyond the end is refused", async () => {
  const log = await openSqliteDocumentLog({ folder: join(folder, "beyond") });
  const consumer = await log.subscribe("g");
  await assert.rejects(consumer.commit({ partition: 0, offset: 1 }), { reason: "HW_LOG_OFFSET_UNKNOWN" });
  await log.close();
});

test("a damaged file is reported as such", async () => {
  const data = join(folder, "damaged");
  await mkdir(data);
  await writeFile(join(data, "document-log.sqlite"), "x".repeat(8_192));
  await assert.rejects(openSqliteDocumentLog({ folder: data }), { reason: "HW_LOG_CORRUPT" });
});

test("a file that was removed makes the log unhealthy", async () => {
  const data = join(folder, "removed");
  const log = await openSqliteDocumentLog({ folder: data });
  await log.checkHealth();
  await rm(data, { recursive: true });
  await assert.rejects(log.checkHealth(), { reason: "HW_LOG_GONE", code: status.UNAVAILABLE });
  await log.close();
});

test("a full disk refuses appends, loses none, and the log goes on when there is room", async (context) => {
  if (disk === undefined) return context.skip("may not mount a small disk");
  const ballast = join(disk, "ballast");
  await writeFile(ballast, Buffer.alloc(3_000_000));
  const log = await openSqliteDocumentLog({ folder: join(disk, "log"), partitions: 1 });
  const append = () => log.append([{ key: "t/1", value: Buffer.alloc(300_000), headers: {} }]);
  let acknowledged = 0;
  await assert.rejects(
    async () => {
      for (; acknowledged < 100; acknowledged += 1) await append();
    },
    { reason: "HW_DISK_FULL", code: status.UNAVAILABLE },
  );
  await assert.rejects(Promise.all([append(), append()]), { reason: "HW_DISK_FULL" });
  await rm(ballast);
  await log.checkHealth();
  await append();
  const [lag] = await log.lag("g");
  assert.equal(lag?.endOffset, acknowledged + 1);
  await log.close();
});

test("appends at the same time share transactions", async () => {
  const log = await openSqliteDocumentLog({ folder: join(folder, "many") });
  const value = Buffer.alloc(1_000);
  const append = (key: string) => log.append([{ key, value, headers: {} }]);
  const timeEach = async (count: number, work: () => Promise<unknown>) => {
    const started = performance.now();
    await work();
    return (performance.now() - started) / count;
  };
  const alone = await timeEach(100, async () => {
    for (let i = 0; i < 100; i += 1) await append(`alone/${i}`);
  });
  const together = await timeEach(5_000, () =>
    Promise.all(Array.from({ length: 5_000 }, (_, i) => append(`together/${i}`))),
  );
  // A twentieth on an idle machine: alone each has a transaction and an fsync of its own.
  assert(together < alone / 2, `${together} ms together, ${alone} ms alone`);
  await log.close();
});
