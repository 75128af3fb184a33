import assert from "node:assert/strict";
import { test } from "node:test";
import { blend, unranked } from "./reranker.ts";
import { passage } from "./testing/passages.ts";

const fused = (...scores: readonly number[]) =>
  scores.map((score, at) => ({ passage: passage(`p${at}`), score, shares: [] }));
const order = (ranked: ReturnType<typeof blend>) => ranked.map(({ passage: { id } }) => id);

test("fused and rerank scores are weighed, and the result stays in the range of the fused scores", () => {
  const ranked = blend(fused(1, 0.8, 0.5), [0.1, 0.9, 0.5]);
  // p0: 0.2 * 0 + 0.8 * 1 = 0.8; p1: 0.2 * 1 + 0.8 * 0.8 = 0.84; p2: 0.2 * 0.5 + 0.8 * 0.5 = 0.5; each * 0.5 + 0.5
  assert.deepEqual(order(ranked), ["p1", "p0", "p2"]);
  assert.deepEqual(
    ranked.map(({ finalScore }) => Math.round(finalScore * 1000) / 1000),
    [0.92, 0.9, 0.75],
  );
  assert.deepEqual(
    ranked.map(({ rerankScore }) => rerankScore),
    [0.9, 0.1, 0.5],
  );
});

test("hits behind the reranked ones stay behind them by score", () => {
  const all = fused(0.9, 0.8, 0.7, 0.6, 0.1);
  const ranked = [...blend(all.slice(0, 3), [0, 1, 2]), ...all.slice(3).map(unranked)];
  for (const [at, { finalScore }] of ranked.entries())
    assert(at === 0 || finalScore <= (ranked[at - 1]?.finalScore ?? 0));
});

test("a hit that was not scored in time counts as if the reranker agreed with the fusion", () => {
  const ranked = blend(fused(0.9, 0.7, 0.5), [undefined, 0.2, 0.8]);
  assert.deepEqual(order(ranked), ["p0", "p2", "p1"]);
  assert.equal(ranked[0]?.finalScore, 0.9);
  assert.equal(ranked[0]?.rerankScore, undefined);
});

test("logits of a cross-encoder order as well as cosines, and equal scores leave the fused order", () => {
  assert.deepEqual(order(blend(fused(0.6, 0.59), [-4.1, 7.3])), ["p1", "p0"]);
  assert.deepEqual(order(blend(fused(0.9, 0.7, 0.5), [1, 1, 1])), ["p0", "p1", "p2"]);
  assert.deepEqual(order(blend(fused(0.5, 0.5), [0.1, 0.2])), ["p1", "p0"]);
  assert.deepEqual(blend([], []), []);
});
