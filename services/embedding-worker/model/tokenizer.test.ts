import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { readEmbeddingWorkerConfig } from "../config.ts";
import { tinyIds, writeTinyCrossEncoder } from "../testing/tiny-models.ts";
import { TextTokenizer } from "./tokenizer.ts";

const file = join(readEmbeddingWorkerConfig({}).modelDir, "tokenizer.json");
const tokenizer = TextTokenizer.load(file, 512);

async function idsOf(text: string): Promise<number[]> {
  const [tokenized] = await tokenizer.encode([text]);
  return [...(tokenized?.ids ?? [])];
}

test("ids are those that BERT's tokenizer gives", async () => {
  assert.deepEqual(await idsOf("Hello, world!"), [101, 7592, 1010, 2088, 999, 102]);
});

test("odd characters do no harm", async () => {
  assert.deepEqual(await idsOf("a\0b"), await idsOf("ab"));
  assert.deepEqual(await idsOf("e\u0301te\u0301"), await idsOf("\u00e9t\u00e9"));
  assert.equal((await idsOf("x\ud800y")).at(-1), 102);
  assert.deepEqual(await idsOf(""), [101, 102]);
});

test("what is beyond the model's limit is cut and told", async () => {
  const [short, exact, long] = await tokenizer.encode([
    "river ".repeat(20),
    "river ".repeat(510),
    "river ".repeat(511),
  ]);
  assert.deepEqual([short?.ids.length, short?.truncated], [22, false]);
  assert.deepEqual([exact?.ids.length, exact?.truncated], [512, false]);
  assert.deepEqual([long?.ids.length, long?.truncated], [512, true]);
  assert.equal(long?.ids.at(-1), 102);
});

test("ranges tell where each token stands, whatever the characters before it", async () => {
  const text = "\u{1F600} \u00c9t\u00e9, meandering \u{1F4A7} rivers";
  const ranges = await tokenizer.ranges(text);
  assert.equal(ranges.length, (await idsOf(text)).length);
  const pieces = ranges.map(({ start, end }) => text.slice(start, end));
  assert.deepEqual([pieces.at(0), pieces.at(-1)], ["", ""]);
  assert.equal(pieces.join(""), text.replaceAll(" ", ""));
  // A word that is no token of its own is several.
  assert.deepEqual(pieces.slice(-6), ["mean", "der", "ing", "\u{1F4A7}", "rivers", ""]);
  assert.deepEqual(await tokenizer.ranges(""), [
    { start: 0, end: 0 },
    { start: 0, end: 0 },
  ]);
});

test("a text of megabytes costs no more than its part that can matter", async () => {
  const units = 512 * 64;
  const huge = "river ".repeat(1_000_000);
  const started = performance.now();
  const [whole] = await tokenizer.encode([huge]);
  const wholeMs = performance.now() - started;
  assert.deepEqual([whole?.ids.length, whole?.truncated], [512, true]);
  // Uncut, six megabytes take two seconds and more; the bound allows for a busy machine.
  assert(wholeMs < 500, `${wholeMs} ms`);
  // A surrogate pair on the border is not split, and few tokens in many units are still told to be cut.
  const [pair] = await tokenizer.encode([`${" ".repeat(units - 1)}\u{1F600}`]);
  assert.deepEqual([pair?.ids.length, pair?.truncated], [2, true]);
});

test("pairs carry the type of each token, and are cut to the limit together", async () => {
  const folder = await writeTinyCrossEncoder(await temporaryFolder());
  const small = TextTokenizer.load(join(folder, "tokenizer.json"), 10);
  const [pair, long] = await small.encodePairs("river sea", ["fish boat", "fish ".repeat(20).trim()]);
  assert.deepEqual([...(pair?.ids ?? [])], [...tinyIds("river sea"), ...tinyIds("fish boat").slice(1)]);
  assert.deepEqual([...(pair?.typeIds ?? [])], [0, 0, 0, 0, 1, 1, 1]);
  assert.equal(pair?.truncated, false);
  assert.deepEqual([long?.ids.length, long?.truncated, long?.ids[1], long?.ids[2]], [10, true, 3, 4]);
});

test("a file that is no tokenizer is refused", () => {
  assert.throws(() => TextTokenizer.load(join(file, "..", "config.json"), 512), {
    reason: "HW_MODEL_INVALID",
  });
});
