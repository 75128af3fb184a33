import assert from "node:assert/strict";
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { HeadwaterError, status } from "@headwater/errors";
import { smallDisk, temporaryFolder } from "@headwater/testing";
import type { BlobStore } from "./blob-store.ts";
import { blobStoreConformance } from "./conformance.ts";
import { checkKilled } from "./crash-check.ts";
import { openEmbeddedBlobStore } from "./embedded-blob-store.ts";
import { openFolderBlobStore } from "./folder-blob-store.ts";

const folder = await temporaryFolder();
const disk = await smallDisk(8);

const read = async (store: BlobStore, key: string) =>
  Buffer.concat(await Array.fromAsync((await store.get(key)) ?? assert.fail(key))).toString();

blobStoreConformance("embedded", (name) => openEmbeddedBlobStore({ folder: join(folder, name) }));

test("killed at random moments: each blob is whole, the latest or a later one", async () => {
  const store = await checkKilled("embedded", join(folder, "killed"), openEmbeddedBlobStore);
  assert.deepEqual((await Array.fromAsync(store.list(""))).length, 19);
  await store.close();
});

test("a key may go from small to large and back, and is listed once", async () => {
  const store = await openEmbeddedBlobStore({ folder: join(folder, "sizes") });
  const large = "x".repeat(200_000);
  for (const content of ["small", large, "small again", large, ""]) {
    await store.put("t/a", Buffer.from(content));
    assert.equal(await read(store, "t/a"), content);
    assert.equal(await store.size("t/a"), content.length);
    assert.deepEqual(await Array.fromAsync(store.list("t/")), ["t/a"]);
  }
  await store.delete("t/a");
  assert.equal(await store.get("t/a"), undefined);
  assert.deepEqual(await Array.fromAsync(store.list("")), []);
  await store.close();
});

test("a store of plain files, as it was before, is read, changed and emptied", async () => {
  const data = join(folder, "files");
  const before = await openFolderBlobStore({ folder: data });
  for (const key of ["t/a", "t/b"]) await before.put(key, Buffer.from("old"));
  await before.close();
  const store = await openEmbeddedBlobStore({ folder: data });
  await store.put("t/b", Buffer.from("new"));
  assert.deepEqual((await Array.fromAsync(store.list(""))).toSorted(), ["t/a", "t/b"]);
  assert.equal(await read(store, "t/a"), "old");
  assert.equal(await read(store, "t/b"), "new");
  for (const key of ["t/a", "t/b"]) await store.delete(key);
  assert.deepEqual(await Array.fromAsync(store.list("")), []);
  assert.equal(await store.get("t/b"), undefined);
  await store.close();
});

test("keys with any byte are listed over more than a page", async () => {
  const store = await openEmbeddedBlobStore({ folder: join(folder, "pages") });
  const keys = Array.from({ length: 2_100 }, (_, i) => `t/${String.fromCodePoint(i)}\0${i}`);
  await Promise.all(keys.map((key) => store.put(key, Buffer.from(key))));
  await store.put("u/a", Buffer.from("another"));
  const listed = await Array.fromAsync(store.list("t/"));
  assert.deepEqual(listed.toSorted(), keys.toSorted());
  assert.equal(await read(store, keys[7] ?? ""), keys[7]);
  await store.close();
});

test("what is deleted gives its room back to the disk", async () => {
  const data = join(folder, "shrinking");
  const store = await openEmbeddedBlobStore({ folder: data });
  const keys = Array.from({ length: 1_000 }, (_, i) => `t/${i}`);
  await Promise.all(keys.map((key) => store.put(key, Buffer.alloc(60_000))));
  const { size } = await stat(join(data, "small.sqlite"));
  for (const key of keys) await store.delete(key);
  await store.close();
  const left = (await stat(join(data, "small.sqlite"))).size;
  assert.ok(left < size / 2, `${left} of ${size} bytes`);
});

test("a full disk is said to be full, loses nothing, and the store goes on", async (context) => {
  if (disk === undefined) return context.skip("may not mount a small disk");
  const ballast = join(disk, "ballast");
  await writeFile(ballast, Buffer.alloc(2_000_000));
  const store = await openEmbeddedBlobStore({ folder: join(disk, "blobs") });
  await store.put("t/a", Buffer.from("kept"));
  const full = { reason: "HW_DISK_FULL", code: status.UNAVAILABLE };
  await assert.rejects(async () => {
    for (let i = 0; i < 200; i += 1) await store.put(`t/small-${i}`, Buffer.alloc(60_000));
  }, full);
  await assert.rejects(store.put("t/a", Buffer.alloc(9_000_000)), full);
  assert.deepEqual(await readdir(join(disk, "blobs", "temporary")), []);
  assert.equal(await read(store, "t/a"), "kept");
  await rm(ballast);
  await store.put("t/b", Buffer.alloc(10_000));
  await store.checkHealth();
  await store.close();
});

test("a folder that is gone makes the store unhealthy", async () => {
  const data = join(folder, "gone");
  const store = await openEmbeddedBlobStore({ folder: data });
  await rm(join(data, "small.sqlite"));
  await assert.rejects(store.checkHealth(), { reason: "HW_BLOBS_UNREACHABLE", code: status.UNAVAILABLE });
  await rm(data, { recursive: true });
  await assert.rejects(store.checkHealth(), { reason: "HW_BLOBS_UNREACHABLE", code: status.UNAVAILABLE });
  await store.close();
});

test("a damaged file is reported as such", async () => {
  const data = join(folder, "damaged");
  await mkdir(data);
  await writeFile(join(data, "small.sqlite"), "x".repeat(8_192));
  await assert.rejects(openEmbeddedBlobStore({ folder: data }), { reason: "HW_BLOBS_CORRUPT" });
});

test("a folder that cannot be made is a clear error", async () => {
  const blocked = join(folder, "blocked");
  await writeFile(blocked, "a file where the folder should be");
  await assert.rejects(openEmbeddedBlobStore({ folder: join(blocked, "blobs") }), HeadwaterError);
});
