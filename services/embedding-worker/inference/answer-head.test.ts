import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { tinyAnswerWeights, tinyDimensions, writeTinyAnswerHead } from "../testing/tiny-models.ts";
import { AnswerHead } from "./answer-head.ts";
import { packTokenVectors, unpackTokenVectors } from "./token-vectors.ts";

const folder = await temporaryFolder();
const head = await AnswerHead.load(await writeTinyAnswerHead(join(folder, "head.onnx")), tinyDimensions);

/** Vectors of so many tokens, whose scales all differ. */
const tokens = (count: number, seed: number) =>
  packTokenVectors(
    Float32Array.from({ length: count * tinyDimensions }, (_, at) => Math.sin(seed + at * 7)),
    tinyDimensions,
  );
const sumOf = (packed: Uint8Array | undefined) =>
  packed ? unpackTokenVectors(packed, tinyDimensions).scales.reduce((sum, scale) => sum + scale, 0) : 0;

test("the graph is given each part of what stands around a sentence, and nothing where there is none", async () => {
  const question = tokens(3, 1);
  const [a, b, c] = [tokens(2, 2), tokens(5, 3), tokens(1, 4)];
  const sentences = [
    { before: undefined, own: a, after: b },
    { before: a, own: b, after: c },
    { before: undefined, own: c, after: undefined },
  ];
  const odds = await head.score(question, sentences);
  for (const [index, { before, own, after }] of sentences.entries()) {
    const expected =
      tinyAnswerWeights.question * sumOf(question) +
      tinyAnswerWeights.before * sumOf(before) +
      tinyAnswerWeights.own * sumOf(own) +
      tinyAnswerWeights.after * sumOf(after);
    assert(Math.abs((odds[index] ?? 0) - expected) < 1e-3, `${odds[index]} rather than ${expected}`);
  }
});

test("where there are no tokens there are no odds", async () => {
  const [some, none] = [tokens(2, 1), new Uint8Array()];
  const alone = (own: Uint8Array) => ({ before: undefined, own, after: undefined });
  assert.deepEqual(await head.score(none, [alone(some)]), [undefined]);
  const [first, second] = await head.score(some, [alone(none), alone(some)]);
  assert.deepEqual([first, typeof second], [undefined, "number"]);
});

test("a graph that is no answer head, or one for other vectors, is refused", async () => {
  const wide = await writeTinyAnswerHead(join(folder, "wide.onnx"), tinyDimensions + 1);
  await assert.rejects(AnswerHead.load(wide, tinyDimensions), /no answer head for token vectors of 4/);
  const damaged = join(folder, "damaged.onnx");
  await writeFile(damaged, "not a graph");
  await assert.rejects(AnswerHead.load(damaged, tinyDimensions));
});
