import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { readGenerationConfig } from "./config.ts";

const service = {
  HEADWATER_OPENAI_BASE_URL: "http://127.0.0.1:11434/v1",
  HEADWATER_OPENAI_MODEL: "llama3.1:8b",
};

test("without settings the extractive model answers alone", () => {
  const config = readGenerationConfig({});
  assert.deepEqual([config.defaultModel, config.models, config.listen], ["extractive", [], "127.0.0.1:7004"]);
});

test("a model service joins, and becomes the default where it is named", () => {
  assert.equal(readGenerationConfig(service).defaultModel, "extractive");
  const config = readGenerationConfig({ ...service, HEADWATER_GENERATION_MODEL: "llama3.1:8b" });
  assert.equal(config.defaultModel, "llama3.1:8b");
  assert.equal(config.models[0]?.apiKey, undefined);
});

test("the key comes from a variable or a file, never from both", async () => {
  const file = join(await temporaryFolder(), "key");
  await writeFile(file, "sk-file\n");
  const inFile = { ...service, HEADWATER_OPENAI_API_KEY_FILE: file };
  assert.equal(readGenerationConfig(inFile).models[0]?.apiKey, "sk-file");
  const inVariable = { ...service, HEADWATER_OPENAI_API_KEY: "sk-variable" };
  assert.equal(readGenerationConfig(inVariable).models[0]?.apiKey, "sk-variable");
  assert.throws(() => readGenerationConfig({ ...inFile, ...inVariable }), { reason: "HW_SETTINGS_INVALID" });
  const missing = { ...service, HEADWATER_OPENAI_API_KEY_FILE: `${file}-not-there` };
  assert.throws(
    () => readGenerationConfig(missing),
    /HEADWATER_OPENAI_API_KEY_FILE: the file cannot be read/,
  );
});

test("settings that do not fit together are refused", () => {
  const cases = [
    { HEADWATER_OPENAI_MODEL: "m" },
    { HEADWATER_OPENAI_BASE_URL: "http://127.0.0.1/v1" },
    { HEADWATER_GENERATION_MODEL: "gpt" },
    { ...service, HEADWATER_OPENAI_MODEL: "extractive" },
    { ...service, HEADWATER_OPENAI_BASE_URL: "127.0.0.1:1" },
  ];
  for (const env of cases) assert.throws(() => readGenerationConfig(env), { reason: "HW_SETTINGS_INVALID" });
});
