import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { status } from "@headwater/errors";
import type { SampleDocument } from "./conformance-documents.ts";
import { dimensions, sample, vectorOf } from "./conformance-documents.ts";
import type { EngineStore, HeldRevision, RevisedPassages, VectorEngine } from "./engine.ts";
import type { PassageFilter } from "./passage-index.ts";

/**
 * Opens a store.
 *
 * @param place chosen by the suite; two stores of one place hold the same data, and a place that is new is empty
 * @param largeTenants of the generations that are made by it
 */
export type OpenVectorStore = (place: string, largeTenants?: readonly string[]) => EngineStore<VectorEngine>;

export interface RevisedSample extends SampleDocument {
  /** Default: 1. */
  readonly revision?: number;
}

export function revised(document: RevisedSample): RevisedPassages {
  return { ...sample(document), revision: document.revision ?? 1 };
}

const filter: PassageFilter = { tenant: "default" };
const everything = { visibleOnly: false };
const fingerprint = { model: "m1", chunking: "c1" };

/** Registers tests for everything that `VectorEngine` and its store promise. */
export function vectorEngineConformance(name: string, open: OpenVectorStore): void {
  let places = 0;
  const opened: { readonly store: EngineStore<VectorEngine>; readonly generation: string }[] = [];

  function newPlace(): string {
    places += 1;
    return `conformance-${process.pid}-${Date.now().toString(36)}-${places}`;
  }

  async function createIn(store: EngineStore<VectorEngine>, generation: string, size = dimensions) {
    opened.push({ store, generation });
    return store.create({ generation, fingerprint, dimensions: size });
  }

  /** An engine on a place of its own. */
  async function prepare(...documents: readonly RevisedSample[]): Promise<VectorEngine> {
    const engine = await createIn(open(newPlace()), "g1");
    await engine.write(documents.map(revised));
    return engine;
  }

  describe(`vector engine: ${name}`, () => {
    after(async () => {
      for (const { store, generation } of opened.splice(0)) {
        await store.drop(generation);
        await store.close();
      }
    });

    test("a passage comes back as it was written, to the last code unit", async () => {
      const document = {
        id: "dir/ü 'quoted' \"x\" %41 \\ 🎉.md",
        title: "Ænima \0 'n' \"stuff\" \ud83d",
        texts: ["naïve café 日本語 👩‍👩‍👧 e\u0301 — wing", " \t\n ", "\udc00\0\u2028", ""],
        version: Number.MAX_SAFE_INTEGER,
        revision: Number.MAX_SAFE_INTEGER - 1,
        mediaType: "text/\ud83d",
        attributes: { "it's": 'a "b" \\ c', __proto__x: "", "k\nl": "ü=,[]{}", "": "\ud83d" },
        observedAt: 1_795_000_000_123,
        page: 7,
        headingPath: ["One", "It's", "日本"],
      };
      const engine = await prepare(document);
      const hits = await engine.search(vectorOf("wing"), filter, 10, everything);
      const expected = sample(document).passages.map(({ vector: _, ...passage }) => passage);
      assert.deepEqual(
        hits.map(({ passage }) => passage).sort((a, b) => a.ordinal - b.ordinal),
        expected,
      );
      assert(hits.every(({ revision }) => revision === document.revision));
      for (const [key, value] of Object.entries(document.attributes)) {
        const where = { ...filter, attributes: [{ key, values: [value] }], mediaTypes: [document.mediaType] };
        assert.equal((await engine.search(vectorOf("wing"), where, 10, everything)).length, 4, key);
      }
    });

    test("scores are cosines, and hits carry the passage's own vector", async () => {
      const engine = await prepare(
        { id: "same", texts: ["x"], vector: [1, 0] },
        { id: "near", texts: ["x"], vector: [0.6, 0.8] },
        { id: "right", texts: ["x"], vector: [0, 1] },
        { id: "opposite", texts: ["x"], vector: [-1, 0] },
      );
      const hits = await engine.search(axis(0), filter, 10, everything);
      const expected = { same: [1, 1, 0], near: [0.6, 0.6, 0.8], right: [0, 0, 1], opposite: [-1, -1, 0] };
      assert.deepEqual(
        hits.map(({ passage }) => passage.documentId),
        Object.keys(expected),
      );
      for (const { passage, score, vector } of hits) {
        assert.equal(vector?.length, dimensions);
        const [cosine = 9, ...components] = expected[passage.documentId as keyof typeof expected];
        assert(Math.abs(score - cosine) < 1e-5, `${score} is not ${cosine}`);
        for (const [at, component] of components.entries())
          assert(Math.abs((vector[at] ?? 9) - component) < 1e-6, passage.documentId);
      }
    });

    test("equal scores come in order of id, also where the limit cuts them", async () => {
      const ids = Array.from({ length: 60 }, (_, at) => `d${String((at * 7) % 60).padStart(2, "0")}`);
      const engine = await prepare(...ids.map((id) => ({ id, texts: ["equal"], vector: [1] })));
      for (const limit of [1, 7, 59, 60, 100])
        assert.deepEqual(await nearest(engine, "equal", filter, limit), [...ids].sort().slice(0, limit));
    });

    test("filters join their fields by AND and their values by OR", async () => {
      const engine = await prepare(
        {
          ...{ id: "a", texts: ["wing"], attributes: { lang: "en", team: "it's" }, mediaType: "text/plain" },
          observedAt: 100,
        },
        {
          ...{ id: "b", texts: ["wing"], attributes: { lang: "de", team: "x" }, mediaType: "text/html" },
          observedAt: 200,
        },
        { id: "c'/é", texts: ["wing"], attributes: { lang: "fr" }, mediaType: "text/plain", observedAt: 300 },
        { id: "d", texts: ["wing"], observedAt: -5 },
      );
      const lang = (...values: string[]) => ({ key: "lang", values });
      const cases: [Omit<PassageFilter, "tenant">, string[]][] = [
        [{ attributes: [lang("en")] }, ["a"]],
        [{ attributes: [lang("en", "fr", "none", "en")] }, ["a", "c'/é"]],
        [{ attributes: [lang("en", "de"), { key: "team", values: ["it's"] }] }, ["a"]],
        [{ attributes: [lang("en"), lang()] }, ["a"]],
        [{ attributes: [lang("x")] }, []],
        [{ attributes: [{ key: "team", values: ["en"] }] }, []],
        [{ mediaTypes: ["text/html", "text/csv"] }, ["b"]],
        [{ documentIds: ["a", "c'/é", "unknown"] }, ["a", "c'/é"]],
        [{ observedFrom: 200 }, ["b", "c'/é"]],
        [{ observedBefore: 200 }, ["a", "d"]],
        [{ observedFrom: -5.5, observedBefore: -4.5 }, ["d"]],
        [{ observedFrom: 100.5, observedBefore: 200.5 }, ["b"]],
        [{ mediaTypes: ["text/plain"], observedFrom: 200, documentIds: ["a", "c'/é"] }, ["c'/é"]],
        [{ attributes: [], mediaTypes: [], documentIds: [] }, ["a", "b", "c'/é", "d"]],
      ];
      for (const [narrow, expected] of cases)
        assert.deepEqual(
          (await nearest(engine, "wing", { ...filter, ...narrow })).sort(),
          expected,
          JSON.stringify(narrow),
        );
    });

    test("filters run inside the engine: better matches that they exclude take no place", async () => {
      const crowd = Array.from({ length: 300 }, (_, at) => `crowd${at}`);
      const engine = await prepare(
        ...crowd.map((id) => ({ id, texts: ["x"], attributes: { group: "crowd" }, vector: [1] })),
        ...["f1", "f2", "f3"].map((id) => ({
          ...{ id, texts: ["x"], attributes: { group: "few" }, vector: [0.1, 1] },
        })),
      );
      const where = { ...filter, attributes: [{ key: "group", values: ["few"] }] };
      const hits = await engine.search(axis(0), where, 3, everything);
      assert.deepEqual(
        hits.map(({ passage }) => passage.documentId),
        ["f1", "f2", "f3"],
      );
    });

    test("tenants do not see each other, also where their documents have the same id", async () => {
      const engine = await prepare(
        { id: "a", tenant: "one", texts: ["wing one"] },
        { id: "a", tenant: "two", texts: ["wing two"] },
      );
      for (const tenant of ["one", "two"]) {
        const hits = await engine.search(vectorOf("wing"), { tenant, documentIds: ["a"] }, 10, everything);
        assert.deepEqual(
          hits.map(({ passage }) => passage.text),
          [`wing ${tenant}`],
        );
      }
      assert.deepEqual(await nearest(engine, "wing", { tenant: "three" }), []);
      await engine.removeBelow([{ tenant: "one", documentId: "a", revision: 2 }]);
      assert.deepEqual(await nearest(engine, "wing", { tenant: "one" }), []);
      assert.deepEqual(await nearest(engine, "wing", { tenant: "two" }), ["a"]);
    });

    test("revisions of a document stand beside each other, and writing one again changes nothing", async () => {
      const first = { id: "a", texts: ["wing one", "wing two"], version: 4 };
      const engine = await prepare(first, { ...first, revision: 2 }, { ...first, revision: 2 });
      await engine.write([revised(first)]);
      assert.equal(await engine.count(), 4);
      const hits = await engine.search(vectorOf("wing one"), filter, 10, everything);
      assert.deepEqual(hits.map(({ passage, revision }) => `${passage.text} ${revision}`).sort(), [
        "wing one 1",
        "wing one 2",
        "wing two 1",
        "wing two 2",
      ]);
    });

    test("removing takes what is below a revision, or exactly a revision, and passes over the rest", async () => {
      const of = (id: string, revision: number) => ({ id, texts: ["wing", "tail"], revision });
      const engine = await prepare(
        ...[1, 2, 3].flatMap((revision) => [of("a", revision), of("b", revision)]),
        { ...of("a", 1), tenant: "other" },
      );
      const name = (documentId: string, revision: number) => ({ tenant: "default", documentId, revision });
      await engine.removeBelow([name("a", 3), name("b", 2), name("unknown", 9)]);
      assert.deepEqual(await held(engine), ["default/a 3", "default/b 2", "default/b 3", "other/a 1"]);
      await engine.removeRevisions([name("b", 3), name("a", 2), name("unknown", 1)]);
      assert.deepEqual(await held(engine), ["default/a 3", "default/b 2", "other/a 1"]);
      await engine.removeBelow([]);
      await engine.removeRevisions([]);
      await engine.markVisible([]);
      await engine.write([]);
      assert.equal(await engine.count(), 6);
    });

    test("only revisions that were made visible are found where the search asks for them", async () => {
      const engine = await prepare(
        { id: "a", texts: ["wing"], revision: 1 },
        { id: "a", texts: ["wing"], revision: 2 },
        { id: "b", texts: ["wing"], revision: 1 },
        { id: "a", tenant: "other", texts: ["wing"], revision: 2 },
      );
      const visible = () => engine.search(vectorOf("wing"), filter, 10, { visibleOnly: true });
      assert.deepEqual(await visible(), []);
      await engine.markVisible([
        { tenant: "default", documentId: "a", revision: 2 },
        { tenant: "default", documentId: "unknown", revision: 1 },
      ]);
      const [hit, ...more] = await visible();
      assert.deepEqual([hit?.passage.documentId, hit?.revision, more.length], ["a", 2, 0]);
      assert.deepEqual((await nearest(engine, "wing")).sort(), ["a", "a", "b"]);
      const other = await engine.search(vectorOf("wing"), { tenant: "other" }, 10, { visibleOnly: true });
      assert.deepEqual(other, []);
    });

    test("many documents are written, listed, made visible and removed", { timeout: 240_000 }, async () => {
      const ids = Array.from({ length: 1300 }, (_, at) => `d${at}`);
      const engine = await prepare(
        ...ids.map((id, at) => ({ id, texts: ["one", "two"], revision: 1 + at, version: 7 })),
      );
      const listed = await Array.fromAsync(engine.list());
      assert.equal(listed.length, ids.length);
      assert(listed.every(({ version, passages }) => version === 7 && passages === 2));
      const revisions = listed.map(({ tenant, documentId, revision }) => ({ tenant, documentId, revision }));
      await engine.markVisible(revisions);
      const hits = await engine.search(vectorOf("one"), filter, 10_000, { visibleOnly: true });
      assert.equal(hits.length, 2 * ids.length);
      await engine.removeBelow(revisions);
      assert.equal(await engine.count(), 2 * ids.length);
      await engine.removeBelow(revisions.slice(1).map((each) => ({ ...each, revision: each.revision + 1 })));
      assert.equal(await engine.count(), 2);
    });

    test("passages of any length are written", { timeout: 240_000 }, async () => {
      const text = '"quoted" 日本\n'.repeat(50_000);
      const engine = await prepare({ id: "long", texts: Array.from({ length: 12 }, (_, at) => text + at) });
      assert.equal(await engine.count(), 12);
      const [hit] = await engine.search(vectorOf(`${text}7`), filter, 1, everything);
      assert(hit?.passage.text.startsWith(text));
    });

    test("revisions are listed of all tenants, of one, or of some documents of it", async () => {
      const engine = await prepare(
        { id: "a", texts: ["one", "two"], version: 3, revision: 5 },
        { id: "a", texts: ["one"], version: 3, revision: 6 },
        { id: "b/ü", texts: ["one"], revision: 1 },
        { id: "a", tenant: "other", texts: ["one"], revision: 2 },
      );
      const all = await Array.fromAsync(engine.list());
      const a: HeldRevision = { tenant: "default", documentId: "a", revision: 5, version: 3, passages: 2 };
      assert.deepEqual(
        all.find(({ revision }) => revision === 5),
        a,
      );
      assert.deepEqual(await held(engine), ["default/a 5", "default/a 6", "default/b/ü 1", "other/a 2"]);
      assert.deepEqual(await held(engine, "other"), ["other/a 2"]);
      assert.deepEqual(await held(engine, "nobody"), []);
      assert.deepEqual(await held(engine, "default", ["b/ü", "none"]), ["default/b/ü 1"]);
    });

    test("vectors of the wrong length are refused, and leave nothing behind", async () => {
      const engine = await prepare();
      const right = revised({ id: "right", texts: ["wing"] });
      const wrong = revised({ id: "wrong", texts: ["wing"] });
      const passages = wrong.passages.map((each) => ({ ...each, vector: new Float32Array(dimensions + 1) }));
      const refusal = { reason: "HW_INDEX_DIMENSIONS_MISMATCH" };
      await assert.rejects(engine.write([right, { ...wrong, passages }]), refusal);
      await assert.rejects(engine.search(new Float32Array(3), filter, 1, everything), refusal);
      assert.equal(await engine.count(), 0);
    });

    test("an aborted search rejects, before it began and while it runs", async () => {
      const engine = await prepare({ id: "a", texts: ["wing"] });
      const aborted = { visibleOnly: false, signal: AbortSignal.abort() };
      await assert.rejects(engine.search(vectorOf("wing"), filter, 1, aborted), { name: "AbortError" });
      const left = new AbortController();
      const running = engine.search(vectorOf("wing"), filter, 1, { ...everything, signal: left.signal });
      left.abort();
      await assert.rejects(running, { name: "AbortError" });
    });

    test("writers at the same time do not disturb each other", async () => {
      const engine = await prepare();
      const ids = Array.from({ length: 24 }, (_, at) => `d${at}`);
      await Promise.all(
        ids.map(async (documentId, at) => {
          const key = { tenant: "default", documentId };
          for (const revision of [1, 2]) {
            await engine.write([revised({ id: documentId, texts: ["wing", "tail"], revision })]);
            await engine.markVisible([{ ...key, revision }]);
            await engine.removeBelow([{ ...key, revision }]);
          }
          if (at % 3 === 0) await engine.removeRevisions([{ ...key, revision: 2 }]);
        }),
      );
      const left = ids.filter((_, at) => at % 3 !== 0).map((id) => `default/${id} 2`);
      assert.deepEqual(await held(engine), left.sort());
      const hits = await engine.search(vectorOf("wing"), filter, 100, { visibleOnly: true });
      assert.equal(hits.length, 2 * left.length);
    });

    test("large tenants are searched, listed, counted and removed as others are", async () => {
      const place = newPlace();
      const engine = await createIn(open(place, ["large", "läge/…"]), "g1");
      await engine.write([
        ...["large", "läge/…", "small"].map((tenant) => revised({ id: "a", tenant, texts: ["wing"] })),
        revised({ id: "b", tenant: "large", texts: ["wing", "tail"] }),
      ]);
      // As another process would have it, whose settings name no large tenant.
      const reader = open(place).open({ generation: "g1", fingerprint, dimensions });
      assert.deepEqual((await nearest(reader, "wing", { tenant: "large" })).sort(), ["a", "b", "b"]);
      assert.deepEqual(await nearest(reader, "wing", { tenant: "small" }), ["a"]);
      assert.deepEqual(await held(reader), ["large/a 1", "large/b 1", "läge/…/a 1", "small/a 1"]);
      assert.deepEqual(await held(reader, "large", ["b"]), ["large/b 1"]);
      assert.equal(await reader.count(), 5);
      await reader.markVisible([{ tenant: "large", documentId: "a", revision: 1 }]);
      const visible = await engine.search(vectorOf("x"), { tenant: "large" }, 9, { visibleOnly: true });
      assert.equal(visible.length, 1);
      await reader.removeBelow([
        { tenant: "large", documentId: "a", revision: 2 },
        { tenant: "small", documentId: "a", revision: 2 },
      ]);
      assert.deepEqual(await held(engine), ["large/b 1", "läge/…/a 1"]);
      await engine.optimize();
    });

    test("one generation serves, another takes its place in one step, and the first one goes", async () => {
      const place = newPlace();
      const store = open(place, ["large"]);
      const reader = open(place);
      const generations = async () => (await reader.list()).map(({ generation }) => generation).sort();
      assert.deepEqual([await store.active(), await generations()], [undefined, []]);
      const first = await createIn(store, "g1");
      await first.write([revised({ id: "a", texts: ["wing"] })]);
      assert.equal(await reader.active(), undefined);
      await store.activate("g1");
      const described = { generation: "g1", fingerprint, dimensions };
      assert.deepEqual(await reader.active(), described);
      const again = await createIn(store, "g1");
      assert.equal(await again.count(), 1);
      const second = await createIn(store, "g1-next", dimensions + 1);
      assert.deepEqual(await generations(), ["g1", "g1-next"]);
      assert.deepEqual(await reader.active(), described);
      await store.activate("g1-next");
      await store.activate("g1-next");
      assert.deepEqual(await reader.active(), {
        ...described,
        generation: "g1-next",
        dimensions: dimensions + 1,
      });
      assert.deepEqual([await first.count(), await second.count()], [1, 0]);
      await store.drop("g1");
      await store.drop("g1");
      await store.drop("never-there");
      assert.deepEqual(await generations(), ["g1-next"]);
      assert.equal((await reader.active())?.generation, "g1-next");
      await assert.rejects(first.count(), { code: status.NOT_FOUND });
      await store.checkHealth();
    });

    test("optimizing changes no answer, and searches go on meanwhile", { timeout: 240_000 }, async () => {
      const ids = Array.from({ length: 200 }, (_, at) => `d${at}`);
      const engine = await prepare(
        ...ids.map((id, at) => ({ id, texts: [`wing ${"tail ".repeat(at % 7)}`] })),
      );
      const before = await nearest(engine, "tail");
      const [, during] = await Promise.all([engine.optimize(), nearest(engine, "tail")]);
      assert.deepEqual([during, await nearest(engine, "tail")], [before, before]);
    });
  });
}

function axis(at: number): Float32Array {
  const vector = new Float32Array(dimensions);
  vector[at] = 1;
  return vector;
}

/** Ids of documents, best first. */
async function nearest(engine: VectorEngine, query: string, where = filter, limit = 1000): Promise<string[]> {
  const hits = await engine.search(vectorOf(query), where, limit, everything);
  return hits.map(({ passage }) => passage.documentId);
}

async function held(
  engine: VectorEngine,
  tenant?: string,
  documentIds?: readonly string[],
): Promise<string[]> {
  const listed = await Array.fromAsync(engine.list(tenant, documentIds));
  return listed.map(({ tenant: owner, documentId, revision }) => `${owner}/${documentId} ${revision}`).sort();
}
