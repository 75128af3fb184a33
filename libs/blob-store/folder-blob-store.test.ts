import assert from "node:assert/strict";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { HeadwaterError, status } from "@headwater/errors";
import { smallDisk, temporaryFolder } from "@headwater/testing";
import { blobStoreConformance } from "./conformance.ts";
import { checkKilled } from "./crash-check.ts";
import { openFolderBlobStore } from "./folder-blob-store.ts";

const folder = await temporaryFolder();
const disk = await smallDisk(4);

blobStoreConformance("folder", (name) => openFolderBlobStore({ folder: join(folder, name) }));

test("killed at random moments: each blob is whole, the latest or a later one, and nothing is left over", async () => {
  const data = join(folder, "killed");
  const store = await checkKilled("folder", data, openFolderBlobStore);
  assert.deepEqual(await readdir(join(data, "temporary")), []);
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
