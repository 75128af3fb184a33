import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fusion } from "./fusion.ts";
import { fuse } from "./fusion.ts";
import { list } from "./testing/passages.ts";

const minMax: Fusion = { method: "min-max", lexicalWeight: 0.4, rrfK: 60 };
const rrf: Fusion = { ...minMax, method: "rrf" };
const limit = 100;
const ids = (fused: ReturnType<typeof fuse>) => fused.map(({ passage }) => passage.id);

test("min-max: what a list lacks gets nothing of it; words of a list that is whole are scaled from 0", () => {
  const fused = fuse(
    { lexical: list(["a", 10], ["b", 5]), vector: list(["b", 0.9], ["c", 0.8], ["a", 0.7]), limit },
    minMax,
  );
  assert.deepEqual(
    fused.map(({ passage, score }) => [passage.id, Math.round(score * 1e6) / 1e6]),
    [
      ["b", 0.8], // 0.4 * 5/10 + 0.6 * 1
      ["a", 0.4], // 0.4 * 1 + 0.6 * 0
      ["c", 0.3], // 0.6 * 0.5
    ],
  );
  assert.deepEqual(fused[2]?.shares[0], { list: "lexical", rank: 0, score: 0, weight: 0.4, share: 0 });
  assert.deepEqual(fused[0]?.shares[0], { list: "lexical", rank: 2, score: 5, weight: 0.4, share: 0.2 });
});

test("min-max: a list that was cut is scaled from its last score, as what lies beyond may score as much", () => {
  const lexical = list(["a", 10], ["b", 6], ["c", 2]);
  const cut = fuse({ lexical, vector: undefined, limit: 3 }, minMax);
  assert.deepEqual(
    cut.map(({ score }) => score),
    [1, 0.5, 0],
  );
});

test("rrf: a missing rank counts nothing, so that scores do not depend on how long the lists are", () => {
  const lists = { lexical: list(["a", 3], ["b", 2]), vector: list(["b", 0.9], ["c", 0.8]), limit };
  const fused = fuse(lists, rrf);
  assert.deepEqual(ids(fused), ["b", "c", "a"]);
  const by = [0.4 / 62 + 0.6 / 61, 0.6 / 62, 0.4 / 61];
  for (const [at, score] of by.entries()) assert(Math.abs((fused[at]?.score ?? 0) - score) < 1e-15);
  const longer = fuse({ ...lists, lexical: [...lists.lexical, ...list(["d", 1], ["e", 0.5])] }, rrf);
  assert.equal(longer.find(({ passage }) => passage.id === "c")?.score, fused[1]?.score);
});

test("the shares add up to the score exactly", () => {
  const lexical = list(...Array.from({ length: 50 }, (_, at) => [`p${at * 3}`, 20 / (at + 1.7)] as const));
  const vector = list(...Array.from({ length: 50 }, (_, at) => [`p${at * 2}`, 0.9 - at / 77] as const));
  for (const fusion of [minMax, rrf]) {
    for (const { score, shares } of fuse({ lexical, vector, limit }, fusion))
      assert.equal(
        shares.reduce((sum, { share }) => sum + share, 0),
        score,
      );
  }
});

test("one list alone has all of the weight", () => {
  const fused = fuse({ lexical: list(["a", 4], ["b", 1]), vector: undefined, limit }, minMax);
  assert.deepEqual(
    fused.map(({ score, shares }) => [score, shares.length, shares[0]?.weight]),
    [
      [1, 1, 1],
      [0.25, 1, 1],
    ],
  );
});

test("equal scores come in order of id, and lists of one or of equal scores are all best", () => {
  const fused = fuse(
    { lexical: list(["b", 2], ["a", 2]), vector: list(["d", 0.5], ["c", 0.5]), limit },
    minMax,
  );
  assert.deepEqual(ids(fused), ["c", "d", "a", "b"]);
  assert.deepEqual(fuse({ lexical: [], vector: [], limit }, minMax), []);
  assert.equal(fuse({ lexical: [], vector: list(["a", 0.1]), limit }, minMax)[0]?.score, 0.6);
});

test("a refined vector list gives the shares, while rank and score stay those of the engine", () => {
  const vector = list(["a", 0.9], ["b", 0.8]);
  const fused = fuse({ lexical: [], vector, limit }, minMax, list(["b", 0.7], ["a", 0.6]));
  assert.deepEqual(ids(fused), ["b", "a"]);
  assert.deepEqual(fused[0]?.shares[1], { list: "vector", rank: 2, score: 0.8, weight: 0.6, share: 0.6 });
});
