import assert from "node:assert/strict";
import { test } from "node:test";
import { readSettings } from "@headwater/settings";
import { realServer } from "@headwater/testing";
import type { RevisedPassages, VectorEngine } from "./engine.ts";
import { passageId } from "./passage-index.ts";
import { qdrantSettings, readQdrantOptions } from "./qdrant-options.ts";
import { openQdrantStore } from "./qdrant-store.ts";
import { vectorEngineConformance } from "./vector-engine-conformance.ts";

const url = realServer("QDRANT_URL");

function openStore(prefix: string, settings: Readonly<Record<string, string>> = {}) {
  const env = { HEADWATER_QDRANT_URL: url, HEADWATER_QDRANT_PREFIX: prefix, ...settings };
  const options = readQdrantOptions(readSettings(qdrantSettings, env));
  assert(options);
  return openQdrantStore(options);
}

const dimensions = 384;
/** Of each tenant: 18 MB of vectors, where Qdrant scans up to 10 MB a segment and builds a graph beyond. */
const passages = 12_000;
const groups = 4;
const queries = 20;
const limit = 20;

/** Vectors in loose clusters, as those of texts are; the same in each run. */
function makeVectors(count: number): Float32Array[] {
  let seed = 42;
  const random = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32 - 0.5;
  };
  const centres = Array.from({ length: 100 }, () => Float32Array.from({ length: dimensions }, random));
  return Array.from({ length: count }, (_, at) => {
    const vector = (centres[at % centres.length] ?? new Float32Array(dimensions)).map((x) => x + random());
    const length = Math.hypot(...vector);
    return vector.map((x) => x / length);
  });
}

function toDocument(tenant: string, vector: Float32Array, at: number): RevisedPassages {
  const document = { tenant, documentId: `d${at}`, version: 1 };
  const passage = {
    ...{ ...document, id: passageId(tenant, document.documentId, 1, 0), ordinal: 0, text: `text ${at}` },
    ...{ title: "", uri: "", mediaType: "text/plain", attributes: { group: String(at % groups) } },
    ...{ observedAt: at, start: 0, end: 8, page: 0, headingPath: [], vector },
  };
  return { ...document, revision: 1, passages: [passage] };
}

/** Share of the true nearest that are found, over all queries. */
async function recall(
  engine: VectorEngine,
  tenant: string,
  vectors: readonly Float32Array[],
  group?: number,
) {
  const attributes = group === undefined ? [] : [{ key: "group", values: [String(group)] }];
  let found = 0;
  for (const query of makeVectors(passages + queries).slice(passages)) {
    const exact = vectors
      .map((vector, at) => ({ at, score: vector.reduce((sum, x, axis) => sum + x * (query[axis] ?? 0), 0) }))
      .filter(({ at }) => group === undefined || at % groups === group)
      .sort((a, b) => b.score - a.score)
      .slice(0, limit);
    const scores = new Map(exact.map(({ at, score }) => [`d${at}`, score]));
    const hits = await engine.search(query, { tenant, attributes }, limit, { visibleOnly: false });
    assert.equal(hits.length, limit);
    for (const { passage, score } of hits) {
      const expected = scores.get(passage.documentId);
      if (expected === undefined) continue;
      found += 1;
      // Of the full vectors, not of what quantization left of them.
      assert(Math.abs(score - expected) < 1e-4, `${score} is not ${expected}`);
    }
  }
  return found / (queries * limit);
}

if (url) {
  vectorEngineConformance("Qdrant", (place, largeTenants = []) =>
    openStore(place, { HEADWATER_QDRANT_LARGE_TENANTS: largeTenants.join(",") }),
  );
  vectorEngineConformance("Qdrant, with other settings", (place, largeTenants = []) =>
    openStore(place, {
      HEADWATER_QDRANT_LARGE_TENANTS: largeTenants.join(","),
      HEADWATER_QDRANT_TENANT_GRAPHS: "true",
      HEADWATER_QDRANT_QUANTIZATION: "false",
      HEADWATER_QDRANT_VECTORS_ON_DISK: "true",
      HEADWATER_QDRANT_SHARDS: "2",
    }),
  );

  for (const tenantGraphs of ["false", "true"])
    test(`Qdrant's graphs find the nearest passages, tenant graphs ${tenantGraphs}`, {
      timeout: 600_000,
    }, async () => {
      const prefix = `recall-${process.pid}-${Date.now().toString(36)}`;
      const store = openStore(prefix, {
        HEADWATER_QDRANT_TENANT_GRAPHS: tenantGraphs,
        HEADWATER_QDRANT_LARGE_TENANTS: "large",
      });
      const description = { generation: "g1", fingerprint: { model: "m", chunking: "c" }, dimensions };
      const engine = await store.create(description);
      const vectors = makeVectors(passages);
      const tenants = ["small", "large"];
      for (const tenant of tenants)
        for (let at = 0; at < passages; at += 2000)
          await engine.write(
            vectors.slice(at, at + 2000).map((vector, place) => toDocument(tenant, vector, at + place)),
          );
      await engine.optimize();
      try {
        for (const tenant of tenants)
          for (const group of [undefined, 1]) {
            const share = await recall(engine, tenant, vectors, group);
            assert(share >= 0.9, `${tenant}, group ${group}: recall ${share}`);
          }
      } finally {
        await store.drop("g1");
      }
    });
}
