import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { OnnxGraph, OnnxValue } from "../inference/onnx-graph.ts";
import { elementType, writeOnnx } from "../inference/onnx-graph.ts";

/** Words of the tiny models' tokenizer; a word's id is its place. */
export const words = ["[UNK]", "[CLS]", "[SEP]", "river", "sea", "fish", "stone", "boat", "mill", "rain"];

export const tinyDimensions = 4;
export const tinyMaxTokens = 16;

/** Of a word, for the tiny encoder: not yet of length 1. */
export function tinyVector(id: number): number[] {
  return Array.from({ length: tinyDimensions }, (_, dimension) => Math.sin(1 + id * 7 + dimension * 3));
}

/** Of a word, for the tiny cross-encoder, whose score is the sum over the words of the passage. */
export function tinyWeight(id: number): number {
  return id <= 2 ? 0 : id - 6.5;
}

/** Ids of a single text, as the tokenizer gives them. */
export function tinyIds(text: string): number[] {
  return [1, ...text.split(" ").map((word) => Math.max(0, words.indexOf(word))), 2];
}

/** A folder with an encoder whose token vectors are looked up in a table. */
export async function writeTinyEncoder(
  folder: string,
  options: { pooling?: Record<string, unknown>; files?: Record<string, unknown> } = {},
): Promise<string> {
  await writeModel(folder, {
    nodes: [{ op: "Gather", inputs: ["table", "input_ids"], output: "last_hidden_state" }],
    constants: [
      {
        name: "table",
        dims: [words.length, tinyDimensions],
        values: Float32Array.from(words.flatMap((_, id) => tinyVector(id))),
      },
    ],
    inputs: [int64Input("input_ids")],
    outputs: [{ name: "last_hidden_state", type: elementType.float, shape: ["b", "s", tinyDimensions] }],
  });
  await writeJson(
    folder,
    "1_Pooling/config.json",
    options.pooling ?? { word_embedding_dimension: tinyDimensions, pooling_mode_mean_tokens: true },
  );
  for (const [file, content] of Object.entries(options.files ?? {})) await writeJson(folder, file, content);
  return folder;
}

/** A folder with a cross-encoder: the sum of `tinyWeight` over the tokens of type 1. */
export async function writeTinyCrossEncoder(folder: string): Promise<string> {
  await writeModel(folder, {
    nodes: [
      { op: "Gather", inputs: ["weights", "input_ids"], output: "weighed" },
      { op: "Cast", inputs: ["token_type_ids"], output: "second", attributes: { to: elementType.float } },
      { op: "Mul", inputs: ["weighed", "second"], output: "counted" },
      { op: "ReduceSum", inputs: ["counted", "axis"], output: "logits", attributes: { keepdims: 1 } },
    ],
    constants: [
      { name: "weights", dims: [words.length], values: Float32Array.from(words, (_, id) => tinyWeight(id)) },
      { name: "axis", dims: [1], values: BigInt64Array.of(1n) },
    ],
    inputs: [int64Input("input_ids"), int64Input("attention_mask"), int64Input("token_type_ids")],
    outputs: [{ name: "logits", type: elementType.float, shape: ["b", 1] }],
  });
  return folder;
}

/** Weights of the tiny answer head: its odds are the sum over the tokens, each weighed by the part that it is of. */
export const tinyAnswerWeights = { question: 1000, before: 100, own: 1, after: 10 } as const;

/** A graph with the inputs and the output of an answer head; a token counts as its scale. */
export async function writeTinyAnswerHead(file: string, dimensions = tinyDimensions): Promise<string> {
  const parts = Object.entries(tinyAnswerWeights);
  const sums = parts.map(([name]) => `${name}_weighed`);
  await writeFile(
    file,
    writeOnnx({
      nodes: [
        ...parts.flatMap(([name]) => [
          {
            op: "ReduceSum",
            inputs: [`${name}_scales`, "axes"],
            output: `${name}_sum`,
            attributes: { keepdims: 0 },
          },
          { op: "Mul", inputs: [`${name}_sum`, `${name}_weight`], output: `${name}_weighed` },
        ]),
        { op: "Sum", inputs: sums, output: "sum" },
        { op: "Reshape", inputs: ["sum", "one"], output: "odds" },
      ],
      constants: [
        { name: "axes", dims: [2], values: BigInt64Array.of(0n, 1n) },
        { name: "one", dims: [1], values: BigInt64Array.of(1n) },
        ...parts.map(([name, weight]) => ({
          ...{ name: `${name}_weight`, dims: [1], values: Float32Array.of(weight) },
        })),
      ],
      inputs: parts.flatMap(([name]) => [
        { name, type: elementType.int8, shape: [`${name}_tokens`, dimensions] },
        { name: `${name}_scales`, type: elementType.float, shape: [`${name}_tokens`, 1] },
      ]),
      outputs: [{ name: "odds", type: elementType.float, shape: [1] }],
    }),
  );
  return file;
}

async function writeModel(folder: string, graph: OnnxGraph): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "model.onnx"), writeOnnx(graph));
  await writeJson(folder, "config.json", {
    hidden_size: tinyDimensions,
    max_position_embeddings: tinyMaxTokens,
  });
  await writeJson(folder, "tokenizer.json", tokenizer());
}

export async function writeJson(folder: string, file: string, content: unknown): Promise<void> {
  await mkdir(join(folder, file, ".."), { recursive: true });
  await writeFile(join(folder, file), typeof content === "string" ? content : JSON.stringify(content));
}

function int64Input(name: string): OnnxValue {
  return { name, type: elementType.int64, shape: ["b", "s"] };
}

function tokenizer() {
  const special = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } });
  const sequence = (id: string, type_id: number) => ({ Sequence: { id, type_id } });
  const first = [special("[CLS]", 0), sequence("A", 0), special("[SEP]", 0)];
  const ids = (token: string) => ({ id: token, ids: [words.indexOf(token)], tokens: [token] });
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: { type: "Lowercase" },
    pre_tokenizer: { type: "WhitespaceSplit" },
    post_processor: {
      type: "TemplateProcessing",
      single: first,
      pair: [...first, sequence("B", 1), special("[SEP]", 1)],
      special_tokens: { "[CLS]": ids("[CLS]"), "[SEP]": ids("[SEP]") },
    },
    decoder: null,
    model: {
      type: "WordLevel",
      vocab: Object.fromEntries(words.map((word, id) => [word, id])),
      unk_token: "[UNK]",
    },
  };
}
