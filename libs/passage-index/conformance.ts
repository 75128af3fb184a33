import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { SampleDocument } from "./conformance-documents.ts";
import { dimensions, sample, vectorOf } from "./conformance-documents.ts";
import type {
  DocumentKey,
  GenerationInfo,
  PassageFilter,
  PassageIndex,
  PassageIndexStore,
  ScoredPassage,
} from "./passage-index.ts";

/**
 * Opens a store.
 *
 * @param place chosen by the suite; two stores of one place hold the same data, as two processes would have it, and a
 *   place that is new is empty
 */
export type OpenPassageIndexStore = (place: string) => Promise<PassageIndexStore>;

const filter: PassageFilter = { tenant: "default" };

/** Registers tests for everything that the port promises. */
export function passageIndexConformance(name: string, open: OpenPassageIndexStore): void {
  let places = 0;

  /** A store on a place of its own with one generation that serves. */
  async function prepare(...documents: readonly SampleDocument[]) {
    places += 1;
    const place = `conformance-${process.pid}-${places}`;
    const stores: PassageIndexStore[] = [];
    const openStore = async () => {
      const store = await open(place);
      stores.push(store);
      return store;
    };
    const store = await openStore();
    const index = await store.create({ model: "m1", chunking: "c1" }, dimensions);
    await store.activate(index);
    await index.replace(documents.map(sample));
    const close = async () => {
      for (const opened of stores.splice(0)) await opened.close();
    };
    closers.push(close);
    return { store, index, openStore, close };
  }
  const closers: (() => Promise<void>)[] = [];

  describe(`passage index: ${name}`, () => {
    after(async () => {
      for (const close of closers) await close();
    });

    test("a passage comes back from both indexes as it was written", async () => {
      const document = {
        id: "dir/ü 'quoted' \"x\" %41 \\ 🎉.md",
        title: "Ænima 'n' \"stuff\"",
        texts: ["naïve café 日本語 👩‍👩‍👧 e\u0301 — wing", " \t\n "],
        version: Number.MAX_SAFE_INTEGER,
        mediaType: "text/markdown",
        attributes: { "it's": 'a "b" \\ c', __proto__x: "", "k\nl": "ü=,[]{}" },
        observedAt: 1_795_000_000_123,
        page: 7,
        headingPath: ["One", "It's", "日本"],
      };
      const { index } = await prepare(document);
      const expected = sample(document).passages.map(({ vector: _, ...passage }) => passage);
      const lexical = await index.searchLexical("wing", filter, 10);
      assert.deepEqual(lexical[0]?.passage, expected[0]);
      const vector = await index.searchVector(vectorOf("wing"), filter, 10);
      assert.deepEqual(
        vector.map(({ passage }) => passage).sort((a, b) => a.ordinal - b.ordinal),
        expected,
      );
    });

    test("words are found in text, title and headings, in any case, number or tense", async () => {
      const { index } = await prepare(
        { id: "text", texts: ["the runner was running"] },
        { id: "title", title: "Aerodynamics", texts: ["nothing else"] },
        { id: "heading", headingPath: ["Boundary layers"], texts: ["nothing more"] },
      );
      assert.deepEqual(await found(index, "RUNS"), ["text"]);
      assert.deepEqual(await found(index, "aerodynamic"), ["title"]);
      assert.deepEqual(await found(index, "layer"), ["heading"]);
    });

    test("the passage with more of the query's words comes first, and rare words count more", async () => {
      const { index } = await prepare(
        { id: "one", texts: ["wing tail rudder nose"] },
        { id: "two", texts: ["wing flutter rudder nose"] },
        { id: "three", texts: ["wing elevator rudder nose"] },
      );
      assert.equal((await found(index, "wing flutter"))[0], "two");
      const hits = await index.searchLexical("wing flutter", filter, 10);
      assert.equal(hits.length, 3);
      assertOrdered(hits);
    });

    test("a query is plain words, never a query language", async () => {
      const { index } = await prepare(
        { id: "a", texts: ["wing flutter"] },
        { id: "b", texts: ["tail wheel"] },
      );
      const queries = [
        '"wing" (tail',
        "wing AND tail",
        "-wing tail",
        "+wing +tail",
        "title:wing OR text:tail",
      ];
      for (const query of [
        ...queries,
        "wing* tail~2^9",
        "wing\\ tail/",
        "'; DROP TABLE x; -- wing tail",
        "wing\0tail",
      ])
        assert.deepEqual((await found(index, query)).sort(), ["a", "b"], query);
      for (const query of ["", " ", "\"'()[]{}*?~^:/\\", "…", "*", "the of and", "unknownword"])
        assert.deepEqual(await found(index, query), [], query);
    });

    test("words of other scripts are found", async () => {
      const { index } = await prepare(
        { id: "ja", texts: ["東京都の人口は日本で最も多い"] },
        { id: "ru", texts: ["Скорость ветра над крылом"] },
        { id: "el", texts: ["η ταχύτητα του ανέμου"] },
        { id: "fr", texts: ["un café très agréable"] },
      );
      assert.deepEqual(await found(index, "人口"), ["ja"]);
      assert.deepEqual(await found(index, "ветра"), ["ru"]);
      assert.deepEqual(await found(index, "ταχύτητα"), ["el"]);
      assert.deepEqual(await found(index, "cafe"), ["fr"]);
    });

    test("a query as long as is allowed is answered", async () => {
      const { index } = await prepare({ id: "a", texts: ["wing flutter"] });
      const query = `${"word".repeat(20)} `.repeat(100).slice(0, 8000);
      assert.deepEqual(await found(index, `${query} wing`), ["a"]);
    });

    test("vector scores are cosines", async () => {
      const { index } = await prepare(
        { id: "same", texts: ["x"], vector: [1, 0] },
        { id: "near", texts: ["x"], vector: [0.6, 0.8] },
        { id: "right", texts: ["x"], vector: [0, 1] },
        { id: "opposite", texts: ["x"], vector: [-1, 0] },
      );
      const query = new Float32Array(dimensions);
      query[0] = 1;
      const hits = await index.searchVector(query, filter, 10);
      assert.deepEqual(
        hits.map(({ passage }) => passage.documentId),
        ["same", "near", "right", "opposite"],
      );
      for (const [at, cosine] of [1, 0.6, 0, -1].entries())
        assert(Math.abs((hits[at]?.score ?? 9) - cosine) < 1e-3, `${hits[at]?.score} is not ${cosine}`);
    });

    test("vector hits carry the passage's own vector, lexical hits none", async () => {
      const { index } = await prepare(
        { id: "a", texts: ["x"], vector: [1, 0] },
        { id: "b", texts: ["x"], vector: [0.6, 0.8] },
      );
      const query = new Float32Array(dimensions);
      query[0] = 1;
      const vectors = (await index.searchVector(query, filter, 10)).map(({ vector }) => [...(vector ?? [])]);
      assert.deepEqual(
        vectors.map((vector) => vector.map((value) => Math.round(value * 1000) / 1000).slice(0, 3)),
        [
          [1, 0, 0],
          [0.6, 0.8, 0],
        ],
      );
      assert.equal(vectors[0]?.length, dimensions);
      assert.deepEqual(
        (await index.searchLexical("x", filter, 1)).map((hit) => "vector" in hit),
        [false],
      );
    });

    test("equal scores come in order of id, also where the limit cuts them", async () => {
      const ids = Array.from({ length: 60 }, (_, at) => `d${String((at * 7) % 60).padStart(2, "0")}`);
      const { index } = await prepare(...ids.map((id) => ({ id, texts: ["equal words"], vector: [1] })));
      const sorted = [...ids].sort();
      for (const limit of [1, 7, 59, 60, 100]) {
        assert.deepEqual(
          await found(index, "equal", filter, limit),
          sorted.slice(0, limit),
          `lexical ${limit}`,
        );
        assert.deepEqual(
          await nearest(index, "equal", filter, limit),
          sorted.slice(0, limit),
          `vector ${limit}`,
        );
      }
    });

    test("limits from 1 to 1,000 are taken, others refused", async () => {
      const { index } = await prepare({ id: "a", texts: ["wing"] });
      for (const limit of [1, 1000])
        assert.equal((await index.searchLexical("wing", filter, limit)).length, 1);
      for (const limit of [0, -1, 1001, 1.5, Number.NaN]) {
        await assert.rejects(index.searchLexical("wing", filter, limit), RangeError);
        await assert.rejects(index.searchVector(vectorOf("wing"), filter, limit), RangeError);
      }
    });

    test("a tenant sees its own documents only, also where another has one of the same id", async () => {
      const { index } = await prepare(
        { id: "a", tenant: "one", texts: ["wing one"] },
        { id: "a", tenant: "two", texts: ["wing two"] },
      );
      for (const tenant of ["one", "two"]) {
        const [hit, ...more] = await index.searchLexical("wing", { tenant }, 10);
        assert.deepEqual([hit?.passage.text, more.length], [`wing ${tenant}`, 0]);
        assert.deepEqual(
          (await index.searchVector(vectorOf("wing"), { tenant }, 10)).map(({ passage }) => passage.tenant),
          [tenant],
        );
      }
      assert.deepEqual(await found(index, "wing", { tenant: "three" }), []);
      assert.deepEqual(await found(index, "wing", { tenant: "one' OR '1'='1" }), []);
      await index.remove([{ tenant: "one", documentId: "a" }]);
      assert.deepEqual(await found(index, "wing", { tenant: "two" }), ["a"]);
    });

    test("filters join their fields by AND and their values by OR", async () => {
      const { index } = await prepare(
        {
          id: "a",
          texts: ["wing"],
          attributes: { lang: "en", team: "it's" },
          mediaType: "text/plain",
          observedAt: 100,
        },
        {
          id: "b",
          texts: ["wing"],
          attributes: { lang: "de", team: "x" },
          mediaType: "text/html",
          observedAt: 200,
        },
        { id: "c'/é", texts: ["wing"], attributes: { lang: "fr" }, mediaType: "text/plain", observedAt: 300 },
        { id: "d", texts: ["wing"], observedAt: -5 },
      );
      const cases: [Omit<PassageFilter, "tenant">, string[]][] = [
        [{ attributes: [{ key: "lang", values: ["en"] }] }, ["a"]],
        [{ attributes: [{ key: "lang", values: ["en", "fr", "none"] }] }, ["a", "c'/é"]],
        [
          {
            attributes: [
              { key: "lang", values: ["en", "de"] },
              { key: "team", values: ["it's"] },
            ],
          },
          ["a"],
        ],
        [{ attributes: [{ key: "lang", values: ["x"] }] }, []],
        [{ attributes: [{ key: "team", values: ["en"] }] }, []],
        [{ mediaTypes: ["text/html", "text/csv"] }, ["b"]],
        [{ documentIds: ["a", "c'/é", "unknown"] }, ["a", "c'/é"]],
        [{ observedFrom: 200 }, ["b", "c'/é"]],
        [{ observedBefore: 200 }, ["a", "d"]],
        [{ observedFrom: 100, observedBefore: 300 }, ["a", "b"]],
        [{ observedFrom: 100.5, observedBefore: 200.5 }, ["b"]],
        [{ mediaTypes: ["text/plain"], observedFrom: 200, documentIds: ["a", "c'/é"] }, ["c'/é"]],
        [{ attributes: [], mediaTypes: [], documentIds: [] }, ["a", "b", "c'/é", "d"]],
      ];
      for (const [narrow, expected] of cases) {
        const where = { ...filter, ...narrow };
        assert.deepEqual(await found(index, "wing", where), expected, JSON.stringify(narrow));
        assert.deepEqual((await nearest(index, "wing", where)).sort(), expected, JSON.stringify(narrow));
      }
    });

    test("filters run inside the engines: better matches that they exclude take no place", async () => {
      const crowd = Array.from({ length: 300 }, (_, at) => ({
        id: `crowd${at}`,
        texts: ["wing wing wing"],
        attributes: { group: "crowd" },
        vector: [1],
      }));
      const few = ["f1", "f2", "f3"].map((id) => ({
        id,
        texts: [`wing among many other words in a text that is longer ${id}`],
        attributes: { group: "few" },
        vector: [0.1, 1],
      }));
      const { index } = await prepare(...crowd, ...few);
      const where = { ...filter, attributes: [{ key: "group", values: ["few"] }] };
      assert.deepEqual((await found(index, "wing", where, 3)).sort(), ["f1", "f2", "f3"]);
      const query = new Float32Array(dimensions);
      query[0] = 1;
      const hits = await index.searchVector(query, where, 3);
      assert.deepEqual(hits.map(({ passage }) => passage.documentId).sort(), ["f1", "f2", "f3"]);
    });

    test("a new version takes the place of the old, and a document that shrinks leaves no orphan", async () => {
      const { index } = await prepare(
        { id: "a", texts: ["old one", "old two", "old three"], version: 1 },
        { id: "b", texts: ["other old"], version: 1 },
      );
      await index.replace([sample({ id: "a", texts: ["new one"], version: 2 })]);
      assert.deepEqual(await found(index, "old"), ["b"]);
      const hits = await index.searchVector(vectorOf("new one"), { ...filter, documentIds: ["a"] }, 10);
      assert.deepEqual(
        hits.map(({ passage }) => [passage.version, passage.text]),
        [[2, "new one"]],
      );
      assert.equal(await index.count(), 2);
    });

    test("writing the same again changes nothing, and writing a version again changes its text", async () => {
      const document = { id: "a", texts: ["wing one", "wing two"] };
      const { index } = await prepare(document);
      // Not the scores: an engine's word statistics may count removed passages until it has merged them away.
      const search = async () =>
        (await index.searchLexical("wing", filter, 10)).map(({ passage }) => passage);
      const before = await search();
      await index.replace([sample(document)]);
      await index.replace([sample(document)]);
      assert.deepEqual(await search(), before);
      await index.replace([sample({ id: "a", texts: ["tail"] })]);
      assert.deepEqual([await found(index, "wing"), await found(index, "tail")], [[], ["a"]]);
      assert.equal(await index.count(), 1);
    });

    test("a document without passages is removed, and an empty batch does nothing", async () => {
      const { index } = await prepare({ id: "a", texts: ["wing"] }, { id: "b", texts: ["wing"] });
      await index.replace([]);
      await index.remove([]);
      await index.replace([sample({ id: "a", texts: [], version: 2 }), sample({ id: "c", texts: ["wing"] })]);
      assert.deepEqual(await found(index, "wing"), ["b", "c"]);
      await index.replace([sample({ id: "b", texts: [], version: 2 })]);
      assert.deepEqual(await found(index, "wing"), ["c"]);
    });

    test("of a document that is in a batch twice the last one counts", async () => {
      const { index } = await prepare();
      await index.replace([
        sample({ id: "a", texts: ["wing one", "wing two"], version: 1 }),
        sample({ id: "b", texts: ["wing"] }),
        sample({ id: "a", texts: ["tail"], version: 2 }),
      ]);
      assert.deepEqual([await found(index, "wing"), await found(index, "tail")], [["b"], ["a"]]);
    });

    test("removing passes over what is not there", async () => {
      const { index } = await prepare({ id: "a", texts: ["wing"] }, { id: "b", texts: ["wing"] });
      await index.remove([key("unknown"), key("a")]);
      await index.remove([key("a"), { tenant: "other", documentId: "b" }]);
      assert.deepEqual(await found(index, "wing"), ["b"]);
      assert.deepEqual(await nearest(index, "wing"), ["b"]);
    });

    test("vectors of the wrong length are refused, and leave nothing behind", async () => {
      const { index } = await prepare();
      const document = sample({ id: "a", texts: ["wing"] });
      const [passage] = document.passages;
      assert(passage);
      const wrong = { ...document, passages: [{ ...passage, vector: new Float32Array(dimensions + 1) }] };
      await assert.rejects(index.replace([wrong]), { reason: "HW_INDEX_DIMENSIONS_MISMATCH" });
      await assert.rejects(index.searchVector(new Float32Array(3), filter, 1), {
        reason: "HW_INDEX_DIMENSIONS_MISMATCH",
      });
      assert.equal(await index.count(), 0);
    });

    test("documents are listed with their passages in both indexes, of all tenants or of one", async () => {
      const { index } = await prepare(
        { id: "a", texts: ["one", "two"], version: 3 },
        { id: "b/ü", tenant: "other", texts: ["one"] },
      );
      const a = { tenant: "default", documentId: "a", version: 3, lexicalPassages: 2, vectorPassages: 2 };
      const b = { tenant: "other", documentId: "b/ü", version: 1, lexicalPassages: 1, vectorPassages: 1 };
      const all = await Array.fromAsync(index.listDocuments());
      assert.deepEqual(
        all.sort((x, y) => (x.documentId < y.documentId ? -1 : 1)),
        [a, b],
      );
      assert.deepEqual(await Array.fromAsync(index.listDocuments("other")), [b]);
      assert.deepEqual(await Array.fromAsync(index.listDocuments("nobody")), []);
      assert.deepEqual(await Array.fromAsync(index.listDocuments("default", ["none", "a", "b/ü"])), [a]);
      assert.deepEqual(await Array.fromAsync(index.listDocuments("other", ["b/ü"])), [b]);
      assert.deepEqual(await Array.fromAsync(index.listDocuments("other", [])), []);
    });

    test("an aborted search rejects", async () => {
      const { index } = await prepare({ id: "a", texts: ["wing"] });
      const signal = AbortSignal.abort();
      await assert.rejects(index.searchLexical("wing", filter, 1, signal), { name: "AbortError" });
      await assert.rejects(index.searchVector(vectorOf("wing"), filter, 1, signal), { name: "AbortError" });
    });

    test("what is written is seen at once, also by another store", async () => {
      const { index, openStore } = await prepare();
      const reader = await (await openStore()).active();
      assert(reader);
      for (let version = 1; version <= 5; version += 1) {
        await index.replace([sample({ id: "a", texts: [`wing number${version}`], version })]);
        assert.deepEqual(await found(reader, `number${version}`), ["a"]);
        assert.equal((await reader.searchVector(vectorOf("wing"), filter, 9))[0]?.passage.version, version);
      }
      await index.remove([key("a")]);
      assert.deepEqual([await found(reader, "wing"), await nearest(reader, "wing")], [[], []]);
    });

    test("a reader never sees a document half, twice or not at all while it changes", async () => {
      const texts = (version: number) =>
        Array.from({ length: version % 2 ? 2 : 5 }, () => `wing v${version}`);
      const { index, openStore } = await prepare({ id: "a", texts: texts(1), version: 1 });
      const reader = await (await openStore()).active();
      assert(reader);
      let writing = true;
      const write = async () => {
        for (let version = 2; version <= 25; version += 1)
          await index.replace([sample({ id: "a", texts: texts(version), version })]);
        writing = false;
      };
      const read = async (search: () => Promise<ScoredPassage[]>) => {
        let reads = 0;
        for (; writing; reads += 1) {
          const hits = await search();
          const versions = new Set(hits.map(({ passage }) => passage.version));
          const [version = 0] = versions;
          assert.deepEqual([versions.size, hits.length], [1, texts(version).length], `version ${version}`);
        }
        assert(reads > 0);
      };
      await Promise.all([
        write(),
        read(() => reader.searchLexical("wing", filter, 50)),
        read(() => reader.searchVector(vectorOf("wing"), filter, 50)),
      ]);
    });

    test("writers at the same time leave each document whole and once", async () => {
      const { index, openStore } = await prepare();
      const other = await (await openStore()).active();
      assert(other);
      const texts = (version: number) =>
        Array.from({ length: 1 + (version % 3) }, (_, at) => `wing ${version} ${at}`);
      const writes: Promise<void>[] = [];
      for (let round = 1; round <= 6; round += 1) {
        for (const id of ["a", "b", "c"])
          writes.push(index.replace([sample({ id, texts: texts(round), version: round })]));
        writes.push(other.replace([sample({ id: `own${round}`, texts: texts(round) })]));
      }
      await Promise.all(writes);
      const listed = await Array.fromAsync(index.listDocuments());
      assert.equal(listed.length, 9);
      for (const { documentId, version, lexicalPassages, vectorPassages } of listed) {
        const round = documentId.startsWith("own") ? Number(documentId.slice(3)) : version;
        assert.deepEqual(
          [lexicalPassages, vectorPassages],
          [texts(round).length, texts(round).length],
          documentId,
        );
        if (!documentId.startsWith("own")) assert.equal(version, 6);
      }
    });

    test("housekeeping changes no answer, and searches go on meanwhile", async () => {
      const documents = Array.from({ length: 200 }, (_, at) => ({
        id: `d${at}`,
        texts: [`wing ${"tail ".repeat(at % 7)}`],
      }));
      const { index } = await prepare(...documents);
      await index.remove(documents.slice(0, 50).map(({ id }) => key(id)));
      const search = async () => [await found(index, "wing tail"), await nearest(index, "tail")];
      const before = await search();
      const [, during] = await Promise.all([index.optimize(), search()]);
      assert.deepEqual(during, before);
      assert.deepEqual(await search(), before);
      await index.replace([sample({ id: "late", texts: ["wing rudder"] })]);
      assert.deepEqual(await found(index, "rudder"), ["late"]);
    });

    test("everything is there after a restart", async () => {
      const { index, openStore, close } = await prepare(
        { id: "a", texts: ["wing"] },
        { id: "b", texts: ["wing"] },
      );
      await index.remove([key("b")]);
      await close();
      const store = await openStore();
      await store.checkHealth();
      const again = await store.active();
      assert(again);
      assert.deepEqual(
        [again.generation, again.fingerprint, again.dimensions],
        [index.generation, { model: "m1", chunking: "c1" }, dimensions],
      );
      assert.deepEqual([await found(again, "wing"), await nearest(again, "wing")], [["a"], ["a"]]);
      await again.replace([sample({ id: "c", texts: ["wing"] })]);
      assert.equal(await again.count(), 2);
    });

    test("before the first generation none serves", async () => {
      places += 1;
      const store = await open(`conformance-${process.pid}-${places}`);
      closers.push(() => store.close());
      await store.checkHealth();
      assert.equal(await store.active(), undefined);
      await store.dropInactive();
      const index = await store.create({ model: "m", chunking: "c" }, dimensions);
      assert.equal(await store.active(), undefined);
      await store.activate(index);
      assert.equal((await store.active())?.generation, index.generation);
    });

    test("a new generation is filled beside the one that serves, then takes its place in one step", async () => {
      const { store, index, openStore } = await prepare({ id: "a", texts: ["wing old"] });
      const reader = await openStore();
      const next = await store.create({ model: "m2", chunking: "c2" }, dimensions + 1);
      const [passage] = sample({ id: "a", texts: ["wing new"] }).passages;
      assert(passage);
      const wider = { ...passage, vector: new Float32Array(dimensions + 1).fill(0.2) };
      await next.replace([{ tenant: "default", documentId: "a", version: 1, passages: [wider] }]);
      assert.equal((await reader.active())?.generation, index.generation);
      assert.deepEqual(await found(index, "new"), []);
      await store.activate(next);
      for (const active of [await store.active(), await reader.active()]) {
        assert(active);
        assert.deepEqual(
          [active.fingerprint, active.dimensions],
          [{ model: "m2", chunking: "c2" }, dimensions + 1],
        );
        assert.deepEqual([await found(active, "old"), await found(active, "new")], [[], ["a"]]);
      }
      // A search that began before the switch ends on the generation that it began on.
      assert.deepEqual(await found(index, "old"), ["a"]);
      await store.create({ model: "m3", chunking: "c3" }, dimensions);
      await store.dropInactive();
      const left = await reader.active();
      assert(left);
      assert.deepEqual([left.generation, await found(left, "new")], [next.generation, ["a"]]);
    });

    test("a generation that does not serve can be found again, filled further and made to serve", async () => {
      const { store, index, openStore, close } = await prepare({ id: "a", texts: ["wing old"] });
      const next = await store.create({ model: "m2", chunking: "c2" }, dimensions);
      await next.replace([sample({ id: "a", texts: ["wing new"] })]);
      const first = { fingerprint: { model: "m1", chunking: "c1" }, dimensions };
      const second = { fingerprint: { model: "m2", chunking: "c2" }, dimensions };
      const expected = [
        { generation: index.generation, ...first, active: true },
        { generation: next.generation, ...second, active: false },
      ].sort(byGeneration);
      assert.deepEqual([...(await store.generations())].sort(byGeneration), expected);
      // The process that began it has died.
      await close();
      const later = await openStore();
      assert.deepEqual([...(await later.generations())].sort(byGeneration), expected);
      const resumed = await later.open(next.generation);
      assert(resumed);
      assert.deepEqual([resumed.fingerprint, resumed.dimensions], [second.fingerprint, dimensions]);
      assert.deepEqual(await found(resumed, "wing"), ["a"]);
      await resumed.replace([sample({ id: "b", texts: ["wing late"] })]);
      await later.activate(resumed);
      const before = await later.open(index.generation);
      assert(before);
      assert.deepEqual(await found(before, "wing"), ["a"]);
      // And back again: what served before was not touched.
      await later.activate(before);
      assert.equal((await later.active())?.generation, index.generation);
      assert.deepEqual((await later.generations()).map(({ active }) => active).sort(), [false, true]);
      await later.dropInactive();
      assert.equal(await later.open(next.generation), undefined);
      assert.equal(await later.open("none"), undefined);
      assert.deepEqual(
        (await later.generations()).map(({ generation }) => generation),
        [index.generation],
      );
    });
  });
}

function byGeneration(a: GenerationInfo, b: GenerationInfo): number {
  return a.generation < b.generation ? -1 : 1;
}

function key(documentId: string): DocumentKey {
  return { tenant: "default", documentId };
}

/** Ids of documents, best first. */
async function found(index: PassageIndex, query: string, where = filter, limit = 1000): Promise<string[]> {
  return (await index.searchLexical(query, where, limit)).map(({ passage }) => passage.documentId);
}

async function nearest(index: PassageIndex, query: string, where = filter, limit = 1000): Promise<string[]> {
  return (await index.searchVector(vectorOf(query), where, limit)).map(({ passage }) => passage.documentId);
}

function assertOrdered(hits: readonly ScoredPassage[]): void {
  for (const [at, { score, passage }] of hits.entries()) {
    const before = hits[at - 1];
    if (!before) continue;
    assert(before.score > score || (before.score === score && before.passage.id < passage.id), passage.id);
  }
}
