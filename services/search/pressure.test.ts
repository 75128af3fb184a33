import assert from "node:assert/strict";
import { test } from "node:test";
import { SearchRequest, Stage } from "@headwater/proto/services/headwater/v1/search";
import { readSearchConfig } from "./config.ts";
import { underPressure } from "./pressure.ts";
import { planSearch } from "./search-plan.ts";

const { defaults } = readSearchConfig({});
const limits = { rerankMaxWaitMs: 200, vectorMaxWaitMs: 1000 };
const after = (waitedMs: number, request: Parameters<typeof SearchRequest.create>[0] = {}, some = limits) => {
  const plan = planSearch(SearchRequest.create({ query: "wing", ...request }), defaults);
  const { rerank, shed } = underPressure(plan, waitedMs, some);
  return [rerank?.budgetMs, ...shed];
};

test("the budget of a rerank shrinks with the time in line, then there is none, then there are no vectors", () => {
  assert.deepEqual(
    [0, 50, 100].map((waitedMs) => after(waitedMs)),
    [[2000], [1500], [1000]],
  );
  assert.deepEqual(after(50, { rerank: { budgetMs: 60_000 } }), [45_000]);
  assert.deepEqual(after(200).slice(1), [Stage.RERANKED]);
  assert.deepEqual(after(999).slice(1), [Stage.RERANKED]);
  assert.deepEqual(after(1000).slice(1), [Stage.RERANKED, Stage.VECTOR]);
});

test("with no wait allowed whoever waits at all does without, and nobody else", () => {
  const none = { rerankMaxWaitMs: 0, vectorMaxWaitMs: 0 };
  assert.deepEqual(after(0, {}, none), [2000]);
  assert.deepEqual(after(0.1, {}, none).slice(1), [Stage.RERANKED, Stage.VECTOR]);
});

test("a later page is left as it is, and nothing is left out that was not asked for or is all there is", () => {
  assert.deepEqual(after(5000, { pageToken: "any" }), [2000]);
  const plain = { rerank: { disabled: true } };
  assert.deepEqual(after(5000, { ...plain, fusion: { lexicalWeight: 1 } }), [undefined]);
  assert.deepEqual(after(5000, { ...plain, fusion: { lexicalWeight: 0 } }), [undefined]);
});
