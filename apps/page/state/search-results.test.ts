import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hit, HitsEvent, Stage } from "@headwater/client";
import { attributesOf, hitsAt, movementOf, noResults, withSearchEvent } from "./search-results.ts";

function hits(stage: Stage, ids: string[]): HitsEvent {
  return { type: "hits", stage, elapsedMs: 1, hits: ids.map((id, index) => hit(id, index + 1)) };
}

function hit(id: string, rank: number): Hit {
  return {
    passageId: id,
    rank,
    score: 1 / rank,
    text: id,
    range: { start: 0, end: 1 },
    page: 0,
    headingPath: [],
    highlights: [],
    explanation: undefined,
    document: {
      id,
      version: 1,
      title: "",
      uri: "",
      mediaType: "",
      attributes: { kind: id === "c" ? "rare" : "usual" },
      observedTime: undefined,
    },
  };
}

test("the first list stays until both are fused, and the best stage is shown in the end", () => {
  const shown = [];
  let results = noResults;
  for (const event of [
    hits("vector", ["b"]),
    hits("lexical", ["a"]),
    hits("fused", ["a", "b"]),
    hits("reranked", ["b", "a"]),
  ]) {
    results = withSearchEvent(results, event);
    shown.push(results.latest);
  }
  assert.deepEqual(shown, ["vector", "vector", "fused", "reranked"]);
});

test("a late list does not push away a better stage", () => {
  let results = withSearchEvent(noResults, hits("fused", ["a"]));
  results = withSearchEvent(results, hits("lexical", ["b"]));
  assert.equal(results.latest, "fused");
  assert.equal(results.byStage.lexical?.hits.length, 1);
});

test("reranking tells how far it moved a hit, where that is known", () => {
  let results = withSearchEvent(noResults, hits("fused", ["a", "b", "c"]));
  results = withSearchEvent(results, hits("reranked", ["c", "a", "new"]));
  const moved = hitsAt(results, "reranked").map((it) => movementOf(results, "reranked", it));
  assert.deepEqual(moved, [2, -1, undefined]);
  assert.equal(movementOf(results, "fused", hit("a", 1)), undefined);
});

test("further pages follow the final stage only", () => {
  let results = withSearchEvent(noResults, hits("fused", ["a"]));
  results = { ...withSearchEvent(results, hits("reranked", ["a"])), further: [hit("z", 2)] };
  assert.deepEqual(
    hitsAt(results, "reranked").map((it) => it.passageId),
    ["a", "z"],
  );
  assert.deepEqual(
    hitsAt(results, "fused").map((it) => it.passageId),
    ["a"],
  );
});

test("attributes are offered by how many hits have them", () => {
  const results = withSearchEvent(noResults, hits("fused", ["c", "a", "b"]));
  assert.deepEqual(attributesOf(results), [
    ["kind", "usual"],
    ["kind", "rare"],
  ]);
});
