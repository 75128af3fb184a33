import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { afterEach, describe, test } from "node:test";
import type { Cache } from "./cache.ts";

/** Opens an empty cache with room for at least 64 MiB. */
export type OpenCache = (name: string) => Cache | Promise<Cache>;

/** What every adapter of the cache promises; registers tests of node:test. */
export function cacheConformance(adapter: string, open: OpenCache): void {
  describe(`${adapter}: cache`, () => {
    const opened: Cache[] = [];
    const openNew = async (): Promise<Cache> => {
      const cache = await open(`cache-${randomUUID()}`);
      opened.push(cache);
      return cache;
    };
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((cache) => cache.close()));
    });

    test("answers in the order of the keys, with undefined for what is not there", async () => {
      const cache = await openNew();
      await cache.setMany(["a", "b", "c"].map((key) => ({ key, value: Buffer.from(`value of ${key}`) })));
      assert.deepEqual(texts(await cache.getMany(["c", "nothing", "a", "c", "b"])), [
        "value of c",
        undefined,
        "value of a",
        "value of c",
        "value of b",
      ]);
    });

    test("asking for nothing and keeping nothing are fine", async () => {
      const cache = await openNew();
      assert.deepEqual(await cache.getMany([]), []);
      await cache.setMany([]);
    });

    test("bytes come back as they were: none, all values, 1.5 KB, 100 KB, 1 MB", async () => {
      const cache = await openNew();
      const values = [
        new Uint8Array(0),
        Uint8Array.from({ length: 256 }, (_, i) => i),
        ...[1_536, 100_000, 1_000_000].map((size) => randomBytes(size)),
      ];
      await cache.setMany(values.map((value, i) => ({ key: `k${i}`, value })));
      const found = await cache.getMany(values.map((_, i) => `k${i}`));
      for (const [i, value] of values.entries())
        assert.ok(found[i] && Buffer.from(value).equals(found[i]), `${i}`);
    });

    test("keys of any text and length are apart", async () => {
      const cache = await openNew();
      const keys = [
        "",
        " ",
        "a",
        "A",
        "\u00fc",
        "u\u0308",
        "🚀",
        "a\0b",
        "a\0c",
        "x".repeat(10_000),
        "x".repeat(10_001),
      ];
      await cache.setMany(keys.map((key, i) => ({ key, value: Buffer.from(String(i)) })));
      assert.deepEqual(
        texts(await cache.getMany(keys)),
        keys.map((_, i) => String(i)),
      );
    });

    test("the latest value of a key counts, also within one call", async () => {
      const cache = await openNew();
      const entry = (text: string) => ({ key: "k", value: Buffer.from(text) });
      await cache.setMany([entry("first")]);
      await cache.setMany([entry("second"), entry("third")]);
      assert.deepEqual(texts(await cache.getMany(["k"])), ["third"]);
    });

    test("what is kept does not change with the caller's buffer", async () => {
      const cache = await openNew();
      const batch = Buffer.from("one two");
      await cache.setMany([{ key: "one", value: batch.subarray(0, 3) }]);
      batch.fill("x");
      assert.deepEqual(texts(await cache.getMany(["one"])), ["one"]);
    });

    test("many keys in one call, from several callers at once", async () => {
      const cache = await openNew();
      const bytesOf = (caller: number, i: number) => Buffer.from(`${caller}/${i} `.repeat(200));
      await Promise.all(
        [0, 1, 2, 3].map(async (caller) => {
          const keys = Array.from({ length: 1_024 }, (_, i) => `${caller}:${i}`);
          await cache.setMany(keys.map((key, i) => ({ key, value: bytesOf(caller, i) })));
          const found = await cache.getMany(keys);
          for (const [i, value] of found.entries()) assert.ok(value && bytesOf(caller, i).equals(value));
        }),
      );
    });

    test("a closed cache has nothing and fails nobody", async () => {
      const cache = await openNew();
      await cache.setMany([{ key: "k", value: Buffer.from("v") }]);
      await cache.close();
      assert.deepEqual(await cache.getMany(["k"]), [undefined]);
      await cache.setMany([{ key: "k", value: Buffer.from("v") }]);
      await cache.close();
    });
  });
}

function texts(values: readonly (Uint8Array | undefined)[]): (string | undefined)[] {
  return values.map((value) => value && Buffer.from(value).toString());
}
