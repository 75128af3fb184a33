import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { status } from "@headwater/errors";
import { dimensions, sample, vectorOf } from "./conformance-documents.ts";
import type { PairedStoreOptions } from "./paired-store.ts";
import { PairedStore } from "./paired-store.ts";
import { MemoryPair } from "./testing/memory-engine-store.ts";

const fingerprint = { model: "m", chunking: "c" };
const hour = 3_600_000;
const filter = { tenant: "default" };

function open(pair: MemoryPair, options: Partial<PairedStoreOptions> = {}) {
  const errors: unknown[] = [];
  const store = new PairedStore({
    ...{ ...pair.stores(), activeForMs: 0, onError: (error) => errors.push(error) },
    ...options,
  });
  return { store, errors };
}

async function prepare(pair: MemoryPair) {
  const { store } = open(pair);
  const index = await store.create(fingerprint, dimensions);
  await store.activate(index);
  await index.replace([sample({ id: "a", texts: ["wing"] })]);
  return { store, index };
}

describe("the store of the paired index", () => {
  test("which generation serves is asked once in a while, and at once where a search fails", async () => {
    const pair = new MemoryPair();
    const { store, index } = await prepare(pair);
    const { store: reader } = open(pair, { activeForMs: hour, readOnly: true });
    const before = pair.lexical.asked;
    const actives = await Promise.all(Array.from({ length: 50 }, () => reader.active()));
    assert.equal(pair.lexical.asked, before + 1);
    assert.equal(new Set(actives).size, 1);

    const next = await store.create(fingerprint, dimensions);
    await store.activate(next);
    assert.equal((await reader.active())?.generation, index.generation);
    pair.vector.down = true;
    const served = await reader.active();
    await assert.rejects(async () => served?.searchVector(vectorOf("wing"), filter, 1));
    pair.vector.down = false;
    assert.equal((await reader.active())?.generation, next.generation);
  });

  test("the one that activates sees it at once", async () => {
    const pair = new MemoryPair();
    const { store } = open(pair, { activeForMs: hour });
    assert.equal(await store.active(), undefined);
    const index = await store.create(fingerprint, dimensions);
    await store.activate(index);
    assert.equal((await store.active())?.generation, index.generation);
  });

  test("while Elasticsearch is down vectors are searched, words are not, and it is said", async () => {
    const pair = new MemoryPair();
    await prepare(pair);
    const { store: reader } = open(pair, { readOnly: true });
    pair.lexical.down = true;
    const index = await reader.active();
    assert(index);
    const [hit] = await index.searchVector(vectorOf("wing"), filter, 1);
    assert.equal(hit?.passage.documentId, "a");
    await assert.rejects(index.searchLexical("wing", filter, 1), { code: status.UNAVAILABLE });
    await assert.rejects(reader.checkHealth(), { code: status.UNAVAILABLE });
    await reader.checkHealth("any");
    pair.vector.down = true;
    await assert.rejects(reader.checkHealth("any"), { code: status.UNAVAILABLE });
    await assert.rejects(reader.active(), { code: status.UNAVAILABLE });
    pair.lexical.down = false;
    assert.equal((await (await reader.active())?.searchLexical("wing", filter, 1))?.length, 1);
    await assert.rejects(async () => index.searchVector(vectorOf("wing"), filter, 1), {
      code: status.UNAVAILABLE,
    });
  });

  test("Qdrant's alias follows, also where it could not be reached at first; readers leave it alone", async () => {
    const pair = new MemoryPair();
    const { index } = await prepare(pair);
    assert.equal(pair.vector.alias, index.generation);
    const { store, errors } = open(pair);
    const next = await store.create(fingerprint, dimensions);
    pair.vector.down = true;
    await store.activate(next);
    assert.equal(errors.length, 1);
    assert.equal(pair.vector.alias, index.generation);
    pair.vector.down = false;
    const { store: reader } = open(pair, { readOnly: true });
    assert.equal((await reader.active())?.generation, next.generation);
    assert.equal(pair.vector.alias, index.generation);
    assert.equal((await open(pair).store.active())?.generation, next.generation);
    assert.equal(pair.vector.alias, next.generation);
  });

  test("what was made by half is not listed, and goes with the inactive ones", async () => {
    const pair = new MemoryPair();
    const { store, index } = await prepare(pair);
    pair.vector.down = true;
    await assert.rejects(store.create(fingerprint, dimensions), { code: status.UNAVAILABLE });
    pair.vector.down = false;
    assert.equal(pair.lexical.generations.size, 2);
    assert.deepEqual(
      (await store.generations()).map(({ generation }) => generation),
      [index.generation],
    );
    await store.dropInactive();
    assert.deepEqual([...pair.lexical.generations.keys()], [index.generation]);
  });

  test("nothing is dropped while it is not known which one serves", async () => {
    const pair = new MemoryPair();
    const { store } = await prepare(pair);
    await store.create(fingerprint, dimensions);
    pair.lexical.down = true;
    await assert.rejects(store.dropInactive(), { code: status.UNAVAILABLE });
    assert.equal(pair.vector.generations.size, 2);
  });

  test("what a writer left behind who died goes by itself", async () => {
    const pair = new MemoryPair();
    const { store, index } = await prepare(pair);
    // It dies before it has removed the old version from Qdrant.
    const { vector, ...stores } = pair.stores();
    const dying: typeof vector = {
      ...vector,
      open: (description) => ({
        ...vector.open(description),
        removeBelow: () => Promise.reject(new Error("it died")),
      }),
    };
    const { store: writer } = open(pair, { ...stores, vector: dying });
    const written = (await writer.active())?.replace([sample({ id: "a", texts: ["tail"], version: 2 })]);
    await assert.rejects(async () => written, { message: "it died" });
    const held = vector.open({ generation: index.generation, fingerprint, dimensions });
    assert.equal(await held.count(), 2);
    const { store: tidy, errors } = open(pair, { sweepAfterMs: 1, sweepEveryMs: 1 });
    while ((await held.count()) > 1) await delay(5);
    assert.deepEqual(errors, []);
    for (const one of [store, writer, tidy]) await one.close();
  });

  test("a store that was opened for reading refuses writes", async () => {
    const pair = new MemoryPair();
    await prepare(pair);
    const { store } = open(pair, { readOnly: true });
    const index = await store.active();
    assert(index);
    const refused = { reason: "HW_INDEX_READ_ONLY" };
    await assert.rejects(index.replace([sample({ id: "a", texts: ["x"] })]), refused);
    await assert.rejects(index.remove([{ tenant: "default", documentId: "a" }]), refused);
    await assert.rejects(index.optimize(), refused);
    await assert.rejects(store.create(fingerprint, dimensions), refused);
    await assert.rejects(store.activate(index), refused);
    await assert.rejects(store.dropInactive(), refused);
  });
});
