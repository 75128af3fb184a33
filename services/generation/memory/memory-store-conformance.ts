import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import type { RecordStore } from "@headwater/record-store";
import type { TimePlace } from "@headwater/rpc";
import type { MemoryRecord } from "./memory-record.ts";
import { MemoryStore } from "./memory-store.ts";

const start = Date.UTC(2026, 0, 1);
const halfLifeMs = 1_000_000;
const at = (milliseconds: number) => new Date(start + milliseconds);

function record(text: string, changes: Partial<MemoryRecord> = {}): MemoryRecord {
  return {
    id: randomUUID(),
    text,
    vector: Float32Array.of(0.25, -1, 3),
    fingerprint: "model",
    surprise: 0.5,
    strength: 0.75,
    strengthenedAt: at(0),
    recallCount: 0,
    conversationId: "",
    createdAt: at(0),
    updatedAt: at(0),
    lastSurprise: 0.5,
    ...changes,
  };
}

/** What memory needs of every record store; registers tests of node:test. Owners of a tenant that is new each time. */
export function memoryStoreConformance(adapter: string, open: () => Promise<RecordStore>): void {
  describe(`${adapter}: memory store`, () => {
    const openStore = async (maxPerOwner = 100) => {
      const records = await open();
      const owner = { tenant: randomUUID(), owner: "ana" };
      return { records, owner, store: new MemoryStore(records, { halfLifeMs, maxPerOwner }) };
    };
    const put = async (store: MemoryStore, owner: { tenant: string; owner: string }, told: MemoryRecord) =>
      store.write(owner, told, await store.read(owner));

    test("a record comes back as it was, and is replaced by its id", async () => {
      const { store, owner } = await openStore();
      const first = record("I ski.");
      assert.equal(await put(store, owner, first), 0);
      assert.deepEqual((await store.read(owner)).records, [first]);
      const second = { ...first, text: "I surf.", vector: Float32Array.of(1), updatedAt: at(5) };
      await put(store, owner, second);
      assert.deepEqual((await store.read(owner)).records, [second]);
    });

    test("tenants and owners see, change and forget only what is their own", async () => {
      const { store, owner } = await openStore();
      const kept = record("I ski.");
      await put(store, owner, kept);
      for (const other of [
        { ...owner, owner: "bo" },
        { ...owner, tenant: randomUUID() },
      ]) {
        assert.deepEqual((await store.read(other)).records, []);
        assert.deepEqual(await store.list(other, 10, undefined), []);
        assert.equal(await store.forget(other, kept.id), 0);
        assert.equal(await store.forgetAll(other), 0);
        await store.recalled(other, new Map([[kept.id, 1]]), at(9));
        await store.reembed(other, [{ ...kept, fingerprint: "other" }]);
        await put(store, other, { ...kept, text: "stolen" });
      }
      assert.deepEqual((await store.read(owner)).records, [kept]);
    });

    test("of two who decided on the same state, one writes", async () => {
      const { store, owner } = await openStore();
      const known = await store.read(owner);
      const both = await Promise.all([
        store.write(owner, record("I ski."), known),
        store.write(owner, record("I surf."), known),
      ]);
      assert.equal(both.filter((gone) => gone === undefined).length, 1);
      assert.equal((await store.read(owner)).records.length, 1);
    });

    test("what is forgotten meanwhile is not written back", async () => {
      const { store, owner } = await openStore();
      const told = record("I ski.");
      await put(store, owner, told);
      for (const forget of [() => store.forget(owner, told.id), () => store.forgetAll(owner)]) {
        const known = await store.read(owner);
        await forget();
        assert.equal(await store.write(owner, told, known), undefined);
        assert.deepEqual((await store.read(owner)).records, []);
      }
    });

    test("beyond the bound the weakest goes, and not the newest", async () => {
      const { store, owner } = await openStore(3);
      const strengths = [0.9, 0.6, 0.8];
      for (const strength of strengths) await put(store, owner, record(String(strength), { strength }));
      assert.equal(await put(store, owner, record("new", { strength: 0.5 })), 1);
      const texts = (await store.read(owner)).records.map(({ text }) => text).sort();
      assert.deepEqual(texts, ["0.8", "0.9", "new"]);
    });

    test("what has faded goes with the next write, or with the sweep", async () => {
      const { store, owner } = await openStore();
      await put(store, owner, record("old", { strength: 0.5 }));
      const later = at(4 * halfLifeMs);
      const fresh = { createdAt: later, updatedAt: later, strengthenedAt: later };
      assert.equal(await put(store, owner, record("new", fresh)), 1);
      const before = await store.read(owner);
      assert.deepEqual(
        before.records.map(({ text }) => text),
        ["new"],
      );
      await store.sweep(at(9 * halfLifeMs));
      const after = await store.read(owner);
      assert.deepEqual(after.records, []);
      assert.notEqual(after.revision, before.revision);
    });

    test("a recall counts and strengthens, and a text that was changed keeps its own vector", async () => {
      const { store, owner } = await openStore();
      const told = record("I ski.");
      await put(store, owner, told);
      await store.recalled(owner, new Map([[told.id, 0.9]]), at(7));
      const [recalled] = (await store.read(owner)).records;
      assert.deepEqual(recalled, { ...told, recallCount: 1, strength: 0.9, strengthenedAt: at(7) });
      await store.reembed(owner, [{ ...told, text: "changed meanwhile", fingerprint: "next" }]);
      assert.equal((await store.read(owner)).records[0]?.fingerprint, "model");
      await store.reembed(owner, [{ ...told, vector: Float32Array.of(1), fingerprint: "next" }]);
      assert.equal((await store.read(owner)).records[0]?.fingerprint, "next");
    });

    test("pages go from the newest to the oldest, without gaps or repeats", async () => {
      const { store, owner } = await openStore();
      for (const [place, text] of ["a", "b", "c", "d", "e"].entries())
        await put(store, owner, record(text, { createdAt: at(Math.floor(place / 2)) }));
      const seen: string[] = [];
      let after: TimePlace | undefined;
      do {
        const page = await store.list(owner, 2, after);
        seen.push(...page.map(({ text }) => text));
        const last = page.at(-1);
        after = last && { time: last.createdAt, id: last.id };
      } while (after);
      assert.equal(seen[0], "e");
      assert.deepEqual(seen.toSorted(), ["a", "b", "c", "d", "e"]);
    });
  });
}
