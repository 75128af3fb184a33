import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { readEncoderFolder } from "../model/encoder-folder.ts";
import { readModelFolder } from "../model/model-folder.ts";
import {
  tinyDimensions,
  tinyVector,
  tinyWeight,
  words,
  writeTinyCrossEncoder,
  writeTinyEncoder,
} from "../testing/tiny-models.ts";
import type { ThreadModels } from "./job.ts";
import { meanMatch } from "./max-sim.ts";
import { ThreadPool } from "./thread-pool.ts";
import { tokenCount } from "./token-vectors.ts";

const folder = await temporaryFolder();
let models: ThreadModels;
let pool: ThreadPool;

before(async () => {
  const encoder = await readEncoderFolder(await writeTinyEncoder(join(folder, "encoder")));
  const crossEncoder = await readModelFolder(await writeTinyCrossEncoder(join(folder, "cross-encoder")));
  models = { encoder, crossEncoder, threads: 1 };
  pool = await ThreadPool.start(models, 2, () => {});
});
after(() => pool.close());

const input = (...ids: number[]) => ({ ids: Int32Array.from(ids), vector: true, tokens: false });

/** The mean of the vectors of some words, scaled to length 1. */
function meanVector(ids: number[]): number[] {
  const sums = Array.from({ length: tinyDimensions }, (_, at) =>
    ids.reduce((sum, id) => sum + (tinyVector(id)[at] ?? 0), 0),
  );
  return sums.map((sum) => sum / Math.hypot(...sums));
}

test("texts of different lengths in one batch get the vectors that they get alone", async () => {
  const { outputs } = await pool.run<"encode">(
    { kind: "encode", inputs: [input(1, 3, 2), input(1, 4, 5, 6, 7, 2)] },
    false,
  );
  for (const [index, ids] of [
    [1, 3, 2],
    [1, 4, 5, 6, 7, 2],
  ].entries()) {
    const expected = meanVector(ids);
    const actual = [...(outputs[index]?.vector ?? [])];
    assert.equal(actual.length, tinyDimensions);
    assert(
      actual.every((value, at) => Math.abs(value - (expected[at] ?? 9)) < 1e-6),
      String(actual),
    );
    assert.equal(outputs[index]?.tokens, undefined);
  }
});

test("token vectors are those of the text's own tokens, without padding", async () => {
  const tokens = (...ids: number[]) => ({ ids: Int32Array.from(ids), vector: false, tokens: true });
  const { outputs } = await pool.run<"encode">(
    { kind: "encode", inputs: [tokens(1, 3, 2), tokens(1, 4, 5, 6, 2)] },
    false,
  );
  const [first, second] = outputs.map((output) => output.tokens ?? assert.fail());
  assert(first && second);
  assert.deepEqual([tokenCount(first, tinyDimensions), tokenCount(second, tinyDimensions)], [3, 5]);
  const same = await pool.run<"max-sim">({ kind: "max-sim", query: first, passages: [first, second] }, true);
  const [itself, other] = same.outputs.map(meanMatch);
  assert(Math.abs((itself ?? 0) - 1) < 0.01);
  assert((other ?? 2) < 0.999);
});

test("pairs get the cross-encoder's score", async () => {
  const pair = (passage: number[]) => ({
    ids: Int32Array.from([1, 4, 2, ...passage, 2]),
    typeIds: Int32Array.from([0, 0, 0, ...passage.map(() => 1), 1]),
  });
  const { outputs } = await pool.run<"pairs">(
    { kind: "pairs", inputs: [pair([3, 4]), pair([9, 8, 7])] },
    true,
  );
  assert.deepEqual(
    [...outputs],
    [tinyWeight(3) + tinyWeight(4), tinyWeight(9) + tinyWeight(8) + tinyWeight(7)],
  );
});

test("a batch that the model cannot do fails alone", async () => {
  await assert.rejects(
    pool.run<"encode">({ kind: "encode", inputs: [input(1, words.length + 5, 2)] }, false),
    {
      reason: "HW_INFERENCE_FAILED",
    },
  );
  const { outputs } = await pool.run<"encode">({ kind: "encode", inputs: [input(1, 2)] }, false);
  assert.equal(outputs.length, 1);
});

test("a thread takes one job to run and three to wait; urgent jobs find room beside them", async () => {
  const jobs = Array.from({ length: 4 * pool.size }, () => {
    assert.equal(pool.accepts(false), true);
    return pool.run<"encode">({ kind: "encode", inputs: [input(1, 3, 2)] }, false);
  });
  assert.deepEqual([pool.accepts(false), pool.accepts(true)], [false, true]);
  await Promise.all(jobs);
  assert.equal(pool.accepts(false), true);
});

test("a folder whose model is not one is refused at the start", async () => {
  await writeFile(join(folder, "broken.onnx"), "not a model");
  const encoder = { ...models.encoder, modelFile: join(folder, "broken.onnx") };
  await assert.rejects(
    ThreadPool.start({ encoder, threads: 1 }, 1, () => {}),
    { reason: "HW_MODEL_INVALID" },
  );
  // A cross-encoder has no token vectors, and so is no encoder.
  const modelFile = models.crossEncoder?.modelFile ?? assert.fail();
  await assert.rejects(
    ThreadPool.start({ encoder: { ...models.encoder, modelFile }, threads: 1 }, 1, () => {}),
    { reason: "HW_MODEL_INVALID", message: /no float32 output of 3 dimensions/ },
  );
});

test("a thread that dies fails its jobs and is started again", async () => {
  const lost: string[] = [];
  const script = new URL("../testing/mortal-thread.ts", import.meta.url);
  const mortal = await ThreadPool.start(models, 1, ({ reason }) => lost.push(reason), script);
  const run = (id: number) => mortal.run<"encode">({ kind: "encode", inputs: [input(id)] }, false);
  try {
    await assert.rejects(run(666), { reason: "HW_INFERENCE_THREAD_LOST", code: 14 });
    assert.deepEqual(lost, ["HW_INFERENCE_THREAD_LOST"]);
    assert.equal(mortal.accepts(true), false);
    await assert.rejects(run(1), { reason: "HW_INFERENCE_THREAD_LOST" });
    await new Promise<void>((resolve) => mortal.onRoom(resolve));
    assert.deepEqual((await run(1)).outputs, []);
  } finally {
    await mortal.close();
  }
});
