import assert from "node:assert/strict";
import { hash, randomBytes, randomUUID } from "node:crypto";
import { afterEach, describe, test } from "node:test";
import type { BlobStore } from "./blob-store.ts";

/** Opens an empty store; the same name again, after the first was closed, is a restart. */
export type OpenBlobStore = (name: string) => Promise<BlobStore>;

const longestKeyBytes = 1_024;
const longestPiece = 256 * 1024;

/**
 * What every adapter of the blob store promises; registers tests of node:test. `inPlace` names the server that writes
 * over the bytes that are being read, where one does: what a reader then sees is not the adapter's to promise.
 */
export function blobStoreConformance(adapter: string, open: OpenBlobStore, inPlace?: string): void {
  describe(`${adapter}: blob store`, () => {
    const opened: BlobStore[] = [];
    const openNamed = async (name: string): Promise<BlobStore> => {
      const store = await open(name);
      opened.push(store);
      return store;
    };
    const openNew = () => openNamed(`blobs-${randomUUID()}`);
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((store) => store.close()));
    });

    test("bytes come back as they were, of any size around a piece", async () => {
      const store = await openNew();
      for (const size of [
        0,
        1,
        1_000,
        longestPiece - 1,
        longestPiece,
        longestPiece + 1,
        3 * longestPiece + 7,
      ]) {
        const content = randomBytes(size);
        await store.put("t/blob", content);
        assert.ok(content.equals(await read(store, "t/blob")), `${size} bytes`);
        assert.equal(await store.size("t/blob"), size);
      }
    });

    test("what is not there is undefined, and deleting it is harmless", async () => {
      const store = await openNew();
      assert.equal(await store.get("t/none"), undefined);
      assert.equal(await store.size("t/none"), undefined);
      await store.delete("t/none");
    });

    test("deletes", async () => {
      const store = await openNew();
      await store.put("t/a", Buffer.from("a"));
      await store.put("t/b", Buffer.from("b"));
      await store.delete("t/a");
      assert.equal(await store.get("t/a"), undefined);
      assert.deepEqual(await keysOf(store, ""), ["t/b"]);
      await store.put("t/a", Buffer.from("again"));
      assert.equal((await read(store, "t/a")).toString(), "again");
    });

    test("any key goes, and each is apart", async () => {
      const store = await openNew();
      const keys = [
        "a",
        "A",
        ".",
        "..",
        "../../etc/passwd",
        "/absolute",
        "a/",
        "a//b",
        "a/b",
        "a%2fb",
        "~a",
        " ",
        "*?:|<>\"'\\",
        "line\nbreak\t\u0001",
        "nul",
        "\u00fc",
        "u\u0308",
        "名前/🚀",
        "x".repeat(255),
        "x".repeat(256),
        "x".repeat(longestKeyBytes),
        `${"x".repeat(longestKeyBytes - 1)}y`,
        "ü".repeat(longestKeyBytes / 2),
        "Ü".repeat(longestKeyBytes / 2),
      ];
      await Promise.all(keys.map((key) => store.put(key, Buffer.from(key))));
      for (const key of keys) assert.equal((await read(store, key)).toString(), key);
      assert.deepEqual(await keysOf(store, ""), keys.toSorted());
      for (const key of keys) await store.delete(key);
      assert.deepEqual(await keysOf(store, ""), []);
    });

    test("a key that is none is refused", async () => {
      const store = await openNew();
      for (const key of [
        "",
        "x".repeat(longestKeyBytes + 1),
        "ü".repeat(longestKeyBytes / 2 + 1),
        "a\ud800",
      ]) {
        await assert.rejects(store.put(key, Buffer.from("x")), { reason: "HW_BLOB_KEY_INVALID" });
        await assert.rejects(store.get(key), { reason: "HW_BLOB_KEY_INVALID" });
      }
    });

    test("lists by prefix, of keys and not of their parts", async () => {
      const store = await openNew();
      const keys = ["t/a", "t/ab", "t/b", "ta/a", "T/a", "t/ä", `t/a${"x".repeat(600)}`];
      for (const key of keys) await store.put(key, Buffer.from("x"));
      assert.deepEqual(await keysOf(store, "t/"), keys.filter((key) => key.startsWith("t/")).toSorted());
      assert.deepEqual(await keysOf(store, "t/a"), ["t/a", "t/ab", `t/a${"x".repeat(600)}`].toSorted());
      assert.deepEqual(await keysOf(store, "t"), keys.filter((key) => key.startsWith("t")).toSorted());
      assert.deepEqual(await keysOf(store, "none"), []);
    });

    test("50 MB are streamed both ways, in small pieces", async () => {
      const store = await openNew();
      const piece = randomBytes(1_000_000);
      const count = 50;
      let live = 0;
      await store.put(
        "t/large",
        (async function* () {
          for (; live < count; live += 1) yield piece;
        })(),
      );
      assert.equal(await store.size("t/large"), count * piece.length);
      const content = await store.get("t/large");
      assert.ok(content);
      let bytes = 0;
      const read: Buffer[] = [];
      for await (const one of content) {
        assert.ok(one.length > 0 && one.length <= longestPiece, `a piece of ${one.length} bytes`);
        bytes += one.length;
        read.push(Buffer.from(one));
      }
      assert.equal(bytes, count * piece.length);
      const expected = Buffer.concat(new Array<Buffer>(count).fill(piece));
      assert.equal(hash("sha256", Buffer.concat(read)), hash("sha256", expected));
    });

    test("a source that fails leaves the old blob, and its error comes back as it is", async () => {
      const store = await openNew();
      await store.put("t/a", Buffer.from("old"));
      const mistake = new Error("the source broke");
      const broken = async function* () {
        yield Buffer.alloc(300_000);
        throw mistake;
      };
      await assert.rejects(store.put("t/a", broken()), (thrown) => thrown === mistake);
      assert.equal((await read(store, "t/a")).toString(), "old");
      await assert.rejects(store.put("t/new", broken()), (thrown) => thrown === mistake);
      assert.deepEqual(await keysOf(store, ""), ["t/a"]);
    });

    const skip = inPlace !== undefined && `${inPlace} writes over what is being read`;
    test("a reader sees the old or the new, never half of each", { skip }, async () => {
      const store = await openNew();
      const size = 2 * longestPiece;
      const versions = Array.from({ length: 10 }, (_, i) => Buffer.alloc(size, i));
      await store.put("t/a", versions[0] ?? assert.fail());
      let writing = true;
      const writer = (async () => {
        for (const version of versions) await store.put("t/a", version);
        writing = false;
      })();
      while (writing) {
        const content = await read(store, "t/a");
        assert.equal(content.length, size);
        assert.ok(content.equals(Buffer.alloc(size, content[0])), "mixed");
      }
      await writer;
    });

    test("changes of one key at the same time end in one of them", async () => {
      const store = await openNew();
      const key = `t/${"long".repeat(200)}`;
      for (let round = 0; round < 5; round += 1) {
        await Promise.all(
          Array.from({ length: 8 }, (_, i) =>
            i % 3 === 2 ? store.delete(key) : store.put(key, Buffer.alloc(1_000, i)),
          ),
        );
        await store.put(key, Buffer.from("last"));
        assert.equal((await read(store, key)).toString(), "last");
        assert.deepEqual(await keysOf(store, "t/"), [key]);
      }
    });

    test("an answer may be left unread, or half read", async () => {
      const store = await openNew();
      await store.put("t/a", Buffer.alloc(5 * longestPiece));
      for (let i = 0; i < 50; i += 1) {
        await store.get("t/a");
        for await (const _piece of (await store.get("t/a")) ?? []) break;
      }
      await store.delete("t/a");
    });

    test("blobs survive a restart", async () => {
      const name = `blobs-${randomUUID()}`;
      const first = await openNamed(name);
      await first.put("t/a", Buffer.from("kept"));
      await first.close();
      const second = await openNamed(name);
      assert.equal((await read(second, "t/a")).toString(), "kept");
      assert.deepEqual(await keysOf(second, "t/"), ["t/a"]);
    });

    test("an open store is healthy", async () => {
      const store = await openNew();
      await store.checkHealth();
      assert.deepEqual(await keysOf(store, ""), []);
    });
  });
}

async function read(store: BlobStore, key: string): Promise<Buffer> {
  const content = await store.get(key);
  assert.ok(content, `no blob ${JSON.stringify(key.slice(0, 50))}`);
  return Buffer.concat(await Array.fromAsync(content));
}

async function keysOf(store: BlobStore, prefix: string): Promise<string[]> {
  return (await Array.fromAsync(store.list(prefix))).toSorted();
}
