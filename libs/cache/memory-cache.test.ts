import assert from "node:assert/strict";
import { test } from "node:test";
import { cacheConformance } from "./conformance.ts";
import { createMemoryCache } from "./memory-cache.ts";

cacheConformance("memory", () => createMemoryCache({ maxBytes: 64 * 2 ** 20 }));

const value = new Uint8Array(1_000);

test("keeps within its bytes; the least recently used go first", async () => {
  const cache = createMemoryCache({ maxBytes: 100_000 });
  await cache.setMany(Array.from({ length: 50 }, (_, i) => ({ key: `${i}`, value })));
  await cache.getMany(["0"]);
  await cache.setMany(Array.from({ length: 60 }, (_, i) => ({ key: `later ${i}`, value })));
  const [used, unused, latest] = await cache.getMany(["0", "1", "later 59"]);
  assert.ok(used && latest);
  assert.equal(unused, undefined);
});

test("a view does not keep its whole batch in memory", async () => {
  const cache = createMemoryCache({ maxBytes: 100_000 });
  const batch = new Uint8Array(10_000_000);
  await cache.setMany([{ key: "a", value: batch.subarray(0, 1_000) }]);
  const [found] = await cache.getMany(["a"]);
  assert.equal(found?.buffer.byteLength, 1_000);
});

test("a value larger than the cache is not kept, and drives nothing out", async () => {
  const cache = createMemoryCache({ maxBytes: 10_000 });
  await cache.setMany([
    { key: "small", value },
    { key: "large", value: new Uint8Array(20_000) },
  ]);
  const [small, large] = await cache.getMany(["small", "large"]);
  assert.ok(small);
  assert.equal(large, undefined);
});

test("a size that is none is refused", () => {
  for (const maxBytes of [0, -1, 1.5, Number.NaN]) {
    assert.throws(() => createMemoryCache({ maxBytes }), { reason: "HW_CACHE_SIZE_INVALID" });
  }
});
