import assert from "node:assert/strict";
import { test } from "node:test";
import { ndcg, recall, reciprocalRank, summarize } from "./index.ts";

const judged = new Map([
  ["a", 3],
  ["b", 2],
  ["c", 0],
  ["d", 1],
  ["e", -1],
]);

test("nDCG by hand: linear gain, log2(rank + 1) discount, the ideal of all judged documents", () => {
  // DCG: 0/1 + 2/1.58496 + 0/2 + 3/2.32193 = 2.553886; ideal: 3 + 2/1.58496 + 1/2 = 4.761860
  const value = ndcg(["c", "b", "x", "a"], judged, 10);
  assert(Math.abs(value - 0.536321) < 1e-6, String(value));
  assert.equal(ndcg(["a", "b", "d"], judged, 10), 1);
  // Cut at 1: 0 of 3. Cut at 2: (2/1.58496) of (3 + 2/1.58496).
  assert.equal(ndcg(["c", "b"], judged, 1), 0);
  assert(Math.abs(ndcg(["c", "b"], judged, 2) - 0.296082) < 1e-6);
});

test("a negative judgement counts as none, and an id that comes again does not count again", () => {
  assert.equal(ndcg(["e", "a"], judged, 10), ndcg(["x", "a"], judged, 10));
  assert.equal(ndcg(["a", "a", "b", "d"], judged, 10), 1);
  assert.equal(recall(["a", "a", "a", "b"], judged, 2), 2 / 3);
});

test("recall counts the relevant among the first k", () => {
  assert.equal(recall(["c", "b", "x", "a"], judged, 2), 1 / 3);
  assert.equal(recall(["c", "b", "x", "a"], judged, 100), 2 / 3);
  assert.equal(recall(["a"], new Map([["c", 0]]), 10), 0);
});

test("the reciprocal rank is of the first relevant document", () => {
  assert.equal(reciprocalRank(["x", "c", "d", "a"], judged), 1 / 3);
  assert.equal(reciprocalRank(["x"], judged), 0);
});

test("means leave out queries without a relevant document, and count missing rankings as zero", () => {
  const means = summarize(
    new Map([["1", ["a"]]]),
    new Map([
      ["1", new Map([["a", 1]])],
      ["2", new Map([["b", 1]])],
      ["3", new Map([["c", 0]])],
    ]),
  );
  assert.deepEqual(means, { ndcg10: 0.5, recall100: 0.5, mrr: 0.5, queries: 2 });
});
