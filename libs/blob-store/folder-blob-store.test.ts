import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { HeadwaterError, status } from "@headwater/errors";
import { smallDisk, temporaryFolder } from "@headwater/testing";
import { blobStoreConformance } from "./conformance.ts";
import { openFolderBlobStore } from "./folder-blob-store.ts";

const folder = await temporaryFolder();
const disk = await smallDisk(4);

blobStoreConformance("folder", (name) => openFolderBlobStore({ folder: join(folder, name) }));

test("killed at random moments: each blob is whole, the latest or a later one, and nothing is left over", async () => {
  const data = join(folder, "killed");
  const latest = new Map<string, number>();
  for (let round = 0; round < 4; round += 1) {
    const path = join(import.meta.dirname, "fixtures", "putting-process.ts");
    const child = spawn(process.execPath, [path, data, String(round * 1_000_000)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const killAfter = 5 + Math.floor(Math.random() * 40);
    let count = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      const [key, number] = line.split(" ");
      latest.set(key ?? "", Number(number));
      count += 1;
      if (count === killAfter) setTimeout(() => child.kill("SIGKILL"), Math.random() * 5);
    }
    assert.ok(count >= killAfter, `round ${round} ended by itself`);
  }
  const store = await openFolderBlobStore({ folder: data });
  assert.deepEqual(await readdir(join(data, "temporary")), []);
  for (const [key, number] of latest) {
    const content = Buffer.concat(await Array.fromAsync((await store.get(key)) ?? assert.fail(key)));
    assert.equal(content.length, 1_000_000);
    const found = content.readUInt32LE(0);
    assert.ok(found >= number, `${key} went back`);
    for (let at = 0; at < content.length; at += 4) {
      if (content.readUInt32LE(at) !== found) assert.fail(`${key} is mixed`);
    }
  }
  await store.close();
});

test("opening removes what dead processes left, and not what is being written", async () => {
  const data = join(folder, "leftovers");
  const store = await openFolderBlobStore({ folder: data });
  const temporary = join(data, "temporary");
  await writeFile(join(temporary, "999999999.dead"), "x");
  await writeFile(join(temporary, `${process.pid}.of-before`), "x");
  await writeFile(join(temporary, `${process.ppid}.alive`), "x");
  const half = Promise.withResolvers<void>();
  const rest = Promise.withResolvers<void>();
  const writing = store.put(
    "t/a",
    (async function* () {
      yield Buffer.from("first ");
      half.resolve();
      await rest.promise;
      yield Buffer.from("second");
    })(),
  );
  await half.promise;
  await (await openFolderBlobStore({ folder: data })).close();
  assert.equal((await readdir(temporary)).filter((name) => !name.endsWith(".alive")).length, 1);
  rest.resolve();
  await writing;
  assert.equal(await store.size("t/a"), 12);
  await store.close();
});

test("a full disk is said to be full, leaves nothing behind, and the store goes on", async (context) => {
  if (disk === undefined) return context.skip("may not mount a small disk");
  const store = await openFolderBlobStore({ folder: join(disk, "blobs") });
  await store.put("t/a", Buffer.from("kept"));
  await assert.rejects(store.put("t/a", Buffer.alloc(5_000_000)), {
    reason: "HW_DISK_FULL",
    code: status.UNAVAILABLE,
  });
  assert.deepEqual(await readdir(join(disk, "blobs", "temporary")), []);
  assert.equal(await store.size("t/a"), 4);
  await store.put("t/b", Buffer.alloc(100_000));
  await store.checkHealth();
  await store.close();
});

test("a folder that is gone makes the store unhealthy", async () => {
  const data = join(folder, "gone");
  const store = await openFolderBlobStore({ folder: data });
  await rm(data, { recursive: true });
  await assert.rejects(store.checkHealth(), { reason: "HW_BLOBS_UNREACHABLE", code: status.UNAVAILABLE });
  await store.close();
});

test("a folder that cannot be made is a clear error", async () => {
  const blocked = join(folder, "blocked");
  await writeFile(blocked, "a file where the folder should be");
  await assert.rejects(openFolderBlobStore({ folder: join(blocked, "blobs") }), HeadwaterError);
});

test("many small blobs spread over the folders, and files of others are not listed", async () => {
  const data = join(folder, "many");
  const store = await openFolderBlobStore({ folder: data });
  await Promise.all(Array.from({ length: 1_000 }, (_, i) => store.put(`t/${i}`, Buffer.from(String(i)))));
  await mkdir(join(data, "somebody-elses"));
  const folders = (await readdir(data)).filter((name) => /^[0-9a-f]{2}$/.test(name));
  const counts = await Promise.all(folders.map(async (name) => (await readdir(join(data, name))).length));
  assert.equal(
    counts.reduce((sum, count) => sum + count),
    1_000,
  );
  assert.ok(Math.max(...counts) < 20, `${Math.max(...counts)} blobs in one folder`);
  assert.equal((await Array.fromAsync(store.list("t/"))).length, 1_000);
  await store.close();
});
