import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeepPartial } from "@headwater/proto/services/headwater/v1/search";
import { FusionMethod, SearchRequest, Stage } from "@headwater/proto/services/headwater/v1/search";
import { readSearchConfig } from "./config.ts";
import { planSearch } from "./search-plan.ts";

const { defaults } = readSearchConfig({});
const plan = (request: DeepPartial<SearchRequest>) =>
  planSearch(SearchRequest.fromPartial(request), defaults);

test("what a request leaves open gets the defaults", () => {
  const { hash: _, ...open } = plan({ query: "wing" });
  assert.deepEqual(open, {
    tenant: "default",
    query: "wing",
    filter: { tenant: "default" },
    pageSize: 10,
    pageToken: "",
    stages: new Set([Stage.LEXICAL, Stage.VECTOR, Stage.FUSED, Stage.RERANKED]),
    fusion: { method: "min-max", lexicalWeight: 0.25, rrfK: 60 },
    feedbackWeight: 1,
    candidates: 100,
    rerank: { depth: 30, budgetMs: 2000 },
    shed: new Set(),
    explain: false,
    highlight: false,
    groupByDocument: false,
  });
});

test("what a request says is taken, a weight of zero too", () => {
  const full = plan({
    query: "wing",
    fusion: { method: FusionMethod.RRF, lexicalWeight: 0, rrfK: 5 },
    rerank: { depth: 7, budgetMs: 9 },
    filter: { attributes: [{ key: "k", values: ["v"] }], observedFrom: new Date(5), documentIds: ["a"] },
  });
  assert.deepEqual(full.fusion, { method: "rrf", lexicalWeight: 0, rrfK: 5 });
  assert.deepEqual(full.rerank, { depth: 7, budgetMs: 9 });
  assert.deepEqual(full.filter, {
    tenant: "default",
    attributes: [{ key: "k", values: ["v"] }],
    documentIds: ["a"],
    observedFrom: 5,
  });
  assert.equal(plan({ query: "wing", rerank: { disabled: true } }).rerank, undefined);
});

test("the hash changes with what decides the order, and with nothing else", () => {
  const { hash } = plan({ query: "wing" });
  for (const same of [{ pageSize: 50 }, { explain: true }, { highlight: true }, { stages: [Stage.FUSED] }])
    assert.equal(plan({ query: "wing", ...same }).hash, hash);
  const others: DeepPartial<SearchRequest>[] = [
    { query: "wings" },
    { tenant: "other" },
    { filter: { mediaTypes: ["text/plain"] } },
    { fusion: { lexicalWeight: 0.5 } },
    { rerank: { disabled: true } },
    { groupByDocument: true },
  ];
  for (const other of others) assert.notEqual(plan({ query: "wing", ...other }).hash, hash);
});

test("what is wrong is told with its reason", () => {
  const many = (count: number) => Array.from({ length: count }, (_, at) => String(at));
  const wrong: [DeepPartial<SearchRequest>, string][] = [
    [{ query: " \n" }, "HW_QUERY_EMPTY"],
    [{ query: "x".repeat(8193) }, "HW_QUERY_TOO_LONG"],
    [{ tenant: "a/b" }, "HW_TENANT_INVALID"],
    [{ tenant: "x".repeat(129) }, "HW_TENANT_INVALID"],
    [{ pageSize: 101 }, "HW_PAGE_SIZE_INVALID"],
    [{ stages: [Stage.UNSPECIFIED] }, "HW_STAGE_INVALID"],
    [{ stages: [9 as Stage] }, "HW_STAGE_INVALID"],
    [{ fusion: { lexicalWeight: 1.01 } }, "HW_LEXICAL_WEIGHT_INVALID"],
    [{ fusion: { lexicalWeight: Number.NaN } }, "HW_LEXICAL_WEIGHT_INVALID"],
    [{ fusion: { rrfK: 1001 } }, "HW_RRF_K_INVALID"],
    [{ fusion: { method: 7 as FusionMethod } }, "HW_FUSION_METHOD_INVALID"],
    [{ rerank: { depth: 257 } }, "HW_RERANK_DEPTH_INVALID"],
    [{ rerank: { budgetMs: 60_001 } }, "HW_RERANK_BUDGET_INVALID"],
    [{ filter: { mediaTypes: many(65) } }, "HW_FILTER_INVALID"],
    [{ filter: { documentIds: many(1025) } }, "HW_FILTER_INVALID"],
    [{ filter: { attributes: [{ key: "", values: ["x"] }] } }, "HW_FILTER_INVALID"],
    [{ filter: { attributes: [{ key: "k", values: [] }] } }, "HW_FILTER_INVALID"],
    [{ filter: { attributes: [{ key: "k", values: many(65) }] } }, "HW_FILTER_INVALID"],
    [{ filter: { observedFrom: new Date(Number.NaN) } }, "HW_FILTER_INVALID"],
  ];
  for (const [request, reason] of wrong)
    assert.throws(() => plan({ query: "wing", ...request }), { code: 3, reason }, JSON.stringify(request));
});
