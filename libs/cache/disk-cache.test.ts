import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { open, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { smallDisk, temporaryFolder } from "@headwater/testing";
import { cacheConformance } from "./conformance.ts";
import { openDiskCache } from "./disk-cache.ts";

const folder = await temporaryFolder();
const disk = await smallDisk(6);
const room = 64 * 2 ** 20;

cacheConformance("disk", (name) =>
  openDiskCache({ folder: join(folder, name), maxBytes: room, onError: unexpected }),
);

function unexpected(thrown: unknown): never {
  throw thrown;
}

function entries(prefix: string, count: number, size: number) {
  return Array.from({ length: count }, (_, i) => ({ key: `${prefix}${i}`, value: randomBytes(size) }));
}

test("entries outlive a restart", async () => {
  const data = join(folder, "restart");
  const first = openDiskCache({ folder: data, maxBytes: room });
  const kept = entries("k", 700, 1_536);
  await first.setMany(kept);
  await first.close();
  const second = openDiskCache({ folder: data, maxBytes: room });
  const found = await second.getMany(kept.map(({ key }) => key));
  for (const [i, { value }] of kept.entries()) assert.ok(found[i] && value.equals(found[i]));
  await second.close();
});

test("keeps within its bytes under load, of small and of large values", async () => {
  const data = join(folder, "bounded");
  const maxBytes = 8 * 2 ** 20;
  const cache = openDiskCache({ folder: data, maxBytes, onError: unexpected });
  for (let round = 0; round < 12; round += 1) {
    await Promise.all([
      cache.setMany(entries(`small ${round} `, 1_000, 1_536)),
      cache.setMany(entries(`large ${round} `, 20, 100_000)),
    ]);
    const { size } = await stat(join(data, "cache.sqlite"));
    assert.ok(size <= maxBytes + 3 * 2 ** 20, `${size} bytes`);
  }
  const keys = Array.from({ length: 1_000 }, (_, i) => `small 11 ${i}`);
  assert.ok((await cache.getMany(keys)).every(Boolean), "the latest entries are gone");
  await cache.close();
});

test("the least recently used go first", async () => {
  const cache = openDiskCache({ folder: join(folder, "lru"), maxBytes: 4 * 2 ** 20, touchIntervalMs: 0 });
  await cache.setMany(entries("used ", 20, 10_000));
  await cache.setMany(entries("unused ", 20, 10_000));
  const used = Array.from({ length: 20 }, (_, i) => `used ${i}`);
  const unused = Array.from({ length: 20 }, (_, i) => `unused ${i}`);
  for (let round = 0; round < 8; round += 1) {
    await cache.setMany(entries(`round ${round} `, 70, 10_000));
    await cache.getMany(used);
  }
  assert.ok((await cache.getMany(used)).every(Boolean));
  assert.ok((await cache.getMany(unused)).every((value) => value === undefined));
  await cache.close();
});

test("a value that would fill half of the cache is not kept", async () => {
  const cache = openDiskCache({ folder: join(folder, "huge"), maxBytes: 2 * 2 ** 20 });
  await cache.setMany([...entries("huge ", 1, 1_500_000), ...entries("small ", 1, 1_000)]);
  const [huge, small] = await cache.getMany(["huge 0", "small 0"]);
  assert.equal(huge, undefined);
  assert.ok(small);
  await cache.close();
});

test("a file that is no cache is set aside, and the cache begins anew", async () => {
  const data = join(folder, "no-cache");
  await openDiskCache({ folder: data, maxBytes: room }).close();
  await writeFile(join(data, "cache.sqlite"), "x".repeat(100_000));
  const errors: unknown[] = [];
  const cache = openDiskCache({ folder: data, maxBytes: room, onError: (thrown) => errors.push(thrown) });
  await cache.setMany(entries("k", 10, 100));
  assert.ok((await cache.getMany(["k0", "k9"])).every(Boolean));
  assert.equal(errors.length, 1);
  assert.ok((await readdir(data)).includes("cache.sqlite.damaged"));
  await cache.close();
});

test("bytes that changed on the disk are never given out", async () => {
  const data = join(folder, "rotten");
  const first = openDiskCache({ folder: data, maxBytes: room });
  const kept = entries("k", 500, 1_536);
  await first.setMany(kept);
  await first.close();
  const file = await open(join(data, "cache.sqlite"), "r+");
  const { size } = await file.stat();
  // One byte in each KiB, so that pages of every kind are hit; the header stays.
  for (let at = 16_384 + 500; at < size; at += 1_024) await file.write(Buffer.from([0xaa]), 0, 1, at);
  await file.close();

  const errors: unknown[] = [];
  const second = openDiskCache({ folder: data, maxBytes: room, onError: (thrown) => errors.push(thrown) });
  for (const { key, value } of kept) {
    const [found] = await second.getMany([key]);
    assert.ok(found === undefined || value.equals(found), `${key} is wrong`);
  }
  assert.ok(errors.length > 0);
  await second.setMany(kept);
  assert.ok((await second.getMany(["k0", "k499"])).every(Boolean), "does not work after it");
  await second.close();
});

test("a folder that cannot be made costs the entries, and fails nobody", async () => {
  const blocked = join(folder, "blocked");
  await writeFile(blocked, "a file where the folder should be");
  const errors: unknown[] = [];
  const cache = openDiskCache({ folder: blocked, maxBytes: room, onError: (thrown) => errors.push(thrown) });
  await cache.setMany(entries("k", 3, 100));
  assert.deepEqual(await cache.getMany(["k0", "k1"]), [undefined, undefined]);
  assert.equal(errors.length, 1, "told once");
  await cache.close();
});

test("a full disk costs entries, is told once, and fails nobody", async (context) => {
  if (disk === undefined) return context.skip("may not mount a small disk");
  const errors: unknown[] = [];
  const cache = openDiskCache({
    folder: join(disk, "cache"),
    maxBytes: room,
    onError: (thrown) => errors.push(thrown),
  });
  for (let round = 0; round < 10; round += 1) await cache.setMany(entries(`${round} `, 50, 20_000));
  assert.ok(errors.length > 0);
  const [first] = await cache.getMany(["0 0"]);
  assert.ok(first, "what was there before is gone");
  await cache.close();
});

test("two processes may share a folder", async () => {
  const data = join(folder, "shared");
  const [one, other] = [0, 1].map(() => openDiskCache({ folder: data, maxBytes: room, onError: unexpected }));
  assert.ok(one && other);
  await Promise.all([one.setMany(entries("one ", 600, 1_536)), other.setMany(entries("other ", 600, 1_536))]);
  assert.ok((await other.getMany(["one 0", "one 599"])).every(Boolean));
  assert.ok((await one.getMany(["other 0", "other 599"])).every(Boolean));
  await Promise.all([one.close(), other.close()]);
});
