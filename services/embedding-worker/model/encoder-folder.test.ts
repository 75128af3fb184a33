import assert from "node:assert/strict";
import { cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import { temporaryFolder } from "@headwater/testing";
import { readEmbeddingWorkerConfig } from "../config.ts";
import { writeJson, writeTinyAnswerHead, writeTinyEncoder } from "../testing/tiny-models.ts";
import { readEncoderFolder } from "./encoder-folder.ts";

const bundled = readEmbeddingWorkerConfig({}).modelDir;

async function refusal(folder: string): Promise<HeadwaterError> {
  try {
    await readEncoderFolder(folder);
  } catch (thrown) {
    assert(thrown instanceof HeadwaterError, String(thrown));
    assert.equal(thrown.code, 9);
    return thrown;
  }
  return assert.fail("the folder was not refused");
}

test("the bundled model is what its card says", async () => {
  const encoder = await readEncoderFolder(bundled);
  assert.deepEqual(
    [encoder.name, encoder.pooling, encoder.dimensions, encoder.maxTokens, encoder.padTokenId],
    ["bge-small-en-v1.5-int8", "cls", 384, 512, 0],
  );
  assert.equal(encoder.queryPrefix, "Represent this sentence for searching relevant passages: ");
  assert.equal(encoder.passagePrefix, "");
  // Indexes on disk hold it: when it changes, all of them have to be made anew.
  assert.equal(encoder.fingerprint, "d412370e4679cb4ae5b04d653370b3e1");
});

test("the fingerprint is that of the files, wherever they lie, and changes with what decides a vector", async () => {
  const folder = await temporaryFolder();
  const here = await readEncoderFolder(await writeTinyEncoder(join(folder, "here")));
  const there = await readEncoderFolder(await writeTinyEncoder(join(folder, "there")));
  assert.equal(here.fingerprint, there.fingerprint);
  const variants = [
    { pooling: { pooling_mode: "cls", embedding_dimension: 4 } },
    { files: { "config_sentence_transformers.json": { prompts: { query: "q: " } } } },
    { files: { "config_sentence_transformers.json": { prompts: { document: "d: " } } } },
    { files: { "sentence_bert_config.json": { max_seq_length: 8 } } },
  ];
  const fingerprints = new Set([here.fingerprint]);
  for (const [index, variant] of variants.entries())
    fingerprints.add(
      (await readEncoderFolder(await writeTinyEncoder(join(folder, `${index}`), variant))).fingerprint,
    );
  assert.equal(fingerprints.size, 5);
});

test("files under onnx/ are found, and positions that start late shorten the longest text", async () => {
  const folder = await temporaryFolder();
  await writeTinyEncoder(folder, {
    files: { "config.json": { model_type: "roberta", max_position_embeddings: 514, pad_token_id: 1 } },
  });
  await cp(join(folder, "model.onnx"), join(folder, "onnx", "model.onnx"));
  await rm(join(folder, "model.onnx"));
  const encoder = await readEncoderFolder(folder);
  assert.deepEqual([encoder.maxTokens, encoder.padTokenId, encoder.dimensions], [512, 1, 4]);
  assert(encoder.modelFile.endsWith(join("onnx", "model.onnx")));
});

test("what is missing is named", async () => {
  const folder = await temporaryFolder();
  assert.equal((await refusal(join(folder, "nowhere"))).reason, "HW_MODEL_NOT_FOUND");
  for (const file of ["tokenizer.json", "config.json", "model.onnx", "1_Pooling/config.json"]) {
    const part = await writeTinyEncoder(join(folder, file.replace("/", "-")));
    await rm(join(part, file));
    const error = await refusal(part);
    assert.equal(error.reason, "HW_MODEL_INVALID");
    assert(error.message.includes(`has no ${file}`), error.message);
  }
});

test("a file that is not what SHA256SUMS says is refused", async () => {
  const folder = await writeTinyEncoder(await temporaryFolder());
  const { modelSha256, tokenizerSha256 } = await readEncoderFolder(folder);
  await writeFile(
    join(folder, "SHA256SUMS"),
    `${modelSha256}  model.onnx\n${tokenizerSha256} *tokenizer.json\n`,
  );
  await readEncoderFolder(folder);
  await writeFile(join(folder, "SHA256SUMS"), `${"0".repeat(64)}  ./model.onnx\n`);
  const error = await refusal(folder);
  assert.equal(error.reason, "HW_MODEL_CORRUPT");
  assert(error.message.includes("model.onnx has the SHA-256"), error.message);
  await writeFile(join(folder, "answer_head.onnx"), "x");
  await writeFile(join(folder, "SHA256SUMS"), `${"0".repeat(64)}  answer_head.onnx\n`);
  const damaged = await refusal(folder);
  assert.equal(damaged.reason, "HW_MODEL_CORRUPT");
  assert(damaged.message.includes("answer_head.onnx has the SHA-256"), damaged.message);
});

test("an answer head is found beside the encoder, and changes nothing of what is stored", async () => {
  const folder = await writeTinyEncoder(await temporaryFolder());
  const without = await readEncoderFolder(folder);
  assert.equal(without.answerHeadFile, undefined);
  const file = await writeTinyAnswerHead(join(folder, "answer_head.onnx"));
  const having = await readEncoderFolder(folder);
  assert.deepEqual([having.answerHeadFile, having.fingerprint], [file, without.fingerprint]);
});

test("what would silently give other vectors is refused", async () => {
  const folder = await temporaryFolder();
  const cases: [string, Parameters<typeof writeTinyEncoder>[1], RegExp][] = [
    [
      "last",
      { pooling: { pooling_mode_lasttoken: true, word_embedding_dimension: 4 } },
      /pooling_mode_lasttoken/,
    ],
    [
      "two",
      { pooling: { pooling_mode_cls_token: true, pooling_mode_mean_tokens: true } },
      /cls_token and pooling_mode_mean_tokens/,
    ],
    ["none", { pooling: {} }, /pooling by nothing/],
    [
      "dense",
      { files: { "modules.json": [{ type: "sentence_transformers.models.Dense", path: "2_Dense" }] } },
      /a module of type Dense/,
    ],
    [
      "dot",
      { files: { "config_sentence_transformers.json": { similarity_fn_name: "dot" } } },
      /similarity by dot/,
    ],
  ];
  for (const [name, options, message] of cases) {
    const error = await refusal(await writeTinyEncoder(join(folder, name), options));
    assert.equal(error.reason, "HW_MODEL_UNSUPPORTED");
    assert.match(error.message, message);
  }
});

test("a file that is no JSON is refused with its name", async () => {
  const folder = await writeTinyEncoder(await temporaryFolder());
  await writeJson(folder, "modules.json", "{ half");
  const error = await refusal(folder);
  assert.equal(error.reason, "HW_MODEL_INVALID");
  assert(error.message.includes("modules.json cannot be understood"), error.message);
});
