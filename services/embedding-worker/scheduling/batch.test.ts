import assert from "node:assert/strict";
import { test } from "node:test";
import { paddedTokens, pickBatch } from "./batch.ts";
import { sampleWork } from "./sample.ts";
import type { Work } from "./work.ts";

const item = (length: number): { work: Work } => ({ work: sampleWork(new Int32Array(length)) });
const lengths = (batch: readonly { work: Work }[]) => batch.map(({ work }) => work.input.ids.length);

test("the first is always in, with those most like it in length", () => {
  const window = [20, 200, 21, 5, 19, 80].map(item);
  assert.deepEqual(lengths(pickBatch(window, { tokens: 256, texts: 32 })), [20, 21, 19]);
});

test("a batch stays within its padded tokens and its texts", () => {
  const window = Array.from({ length: 50 }, () => item(30));
  assert.equal(pickBatch(window, { tokens: 256, texts: 32 }).length, 8);
  assert.equal(pickBatch(window, { tokens: 4096, texts: 32 }).length, 32);
  assert.equal(paddedTokens(pickBatch(window, { tokens: 256, texts: 32 })), 240);
});

test("a text beyond the budget goes alone", () => {
  assert.deepEqual(lengths(pickBatch([item(500), item(10)], { tokens: 256, texts: 32 })), [500]);
});

test("a batch is not filled with padding", () => {
  assert.deepEqual(lengths(pickBatch([item(100), item(10)], { tokens: 4096, texts: 32 })), [100]);
  assert.deepEqual(lengths(pickBatch([item(10), item(100)], { tokens: 4096, texts: 32 })), [10]);
});

test("texts of different models do not mix", () => {
  const ids = new Int32Array(10);
  const pair: Work = {
    kind: "pairs",
    lane: "rerank",
    flow: {},
    signal: new AbortController().signal,
    input: { ids, typeIds: ids },
  };
  assert.deepEqual(pickBatch([item(10), { work: pair }, item(10)], { tokens: 256, texts: 32 }).length, 2);
});

test("an empty window gives an empty batch", () => {
  assert.deepEqual(pickBatch([], { tokens: 256, texts: 32 }), []);
});
