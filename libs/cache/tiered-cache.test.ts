import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { cacheConformance } from "./conformance.ts";
import { openDiskCache } from "./disk-cache.ts";
import { createMemoryCache } from "./memory-cache.ts";
import { createTieredCache } from "./tiered-cache.ts";

const folder = await temporaryFolder();
const memory = () => createMemoryCache({ maxBytes: 64 * 2 ** 20 });

cacheConformance("memory, then disk", (name) =>
  createTieredCache([memory(), openDiskCache({ folder: join(folder, name), maxBytes: 64 * 2 ** 20 })]),
);

const entry = (key: string) => ({ key, value: Buffer.from(key) });

test("what only the slow tier has is copied into the fast one, and each look is told", async () => {
  const [fast, slow] = [memory(), memory()];
  const looks: number[][] = [];
  const cache = createTieredCache([fast, slow], { onLookup: (...look) => looks.push(look) });
  await fast.setMany([entry("a")]);
  await slow.setMany([entry("b")]);
  const found = await cache.getMany(["b", "none", "a"]);
  assert.deepEqual(
    found.map((value) => value && Buffer.from(value).toString()),
    ["b", undefined, "a"],
  );
  assert.deepEqual(looks, [
    [0, 1, 2],
    [1, 1, 1],
  ]);
  assert.ok((await fast.getMany(["b"]))[0], "not promoted");
  assert.equal((await slow.getMany(["a"]))[0], undefined, "demoted");
  await cache.getMany(["a", "b"]);
  assert.deepEqual(looks.slice(2), [[0, 2, 0]], "the slow tier was asked for nothing");
});

test("what nobody has asked for yet goes into the slowest tier, and into the others once somebody does", async () => {
  const [fast, slow] = [memory(), memory()];
  const cache = createTieredCache([fast, slow]);
  await cache.setMany([entry("a")], { unasked: true });
  assert.equal((await fast.getMany(["a"]))[0], undefined);
  assert.ok((await slow.getMany(["a"]))[0]);
  await cache.getMany(["a"]);
  assert.ok((await fast.getMany(["a"]))[0]);
  await createTieredCache([fast]).setMany([entry("b")], { unasked: true });
  assert.ok((await fast.getMany(["b"]))[0], "the only tier is the slowest");
});

test("what is set goes into all tiers", async () => {
  const [fast, slow] = [memory(), memory()];
  await createTieredCache([fast, slow]).setMany([entry("a")]);
  assert.ok((await fast.getMany(["a"]))[0]);
  assert.ok((await slow.getMany(["a"]))[0]);
});
