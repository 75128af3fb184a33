import assert from "node:assert/strict";
import { test } from "node:test";
import { benchSearch } from "./search-bench.ts";

test("the bench fills an index, searches it, and reports medians", async () => {
  const lines: string[] = [];
  const result = await benchSearch({ passages: 500, searches: 5, onProgress: (line) => lines.push(line) });
  assert.deepEqual([result.passages, result.searches, result.realRerank], [500, 5, false]);
  for (const ms of [
    result.lexicalMs,
    result.vectorMs,
    result.searchMs,
    result.slowerOwnMs,
    result.firstHitsMs,
    result.rerankedMs,
  ])
    assert(ms > 0);
  assert.equal(result.ratio, result.searchMs / result.slowerOwnMs);
  assert.equal(result.ratioToAlone, result.searchMs / Math.max(result.lexicalMs, result.vectorMs));
  assert(result.slowerOwnMs < result.searchMs);
  assert(result.firstHitsMs <= result.rerankedMs);
  assert(lines.length > 2);
});
