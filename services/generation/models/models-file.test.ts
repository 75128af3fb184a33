import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import { temporaryFolder } from "@headwater/testing";
import { readModelsFile } from "./models-file.ts";

const folder = await temporaryFolder();

async function write(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

/** The mistakes that the file is refused for. */
async function mistakes(text: string, env: Record<string, string> = {}): Promise<string[]> {
  const path = await write("wrong.yaml", text);
  try {
    readModelsFile(path, env);
  } catch (thrown) {
    assert(thrown instanceof HeadwaterError && thrown.reason === "HW_SETTINGS_INVALID", String(thrown));
    const [, told = "", ...more] = thrown.message.split("\n");
    return more.length === 0
      ? [told.trim().replace(path, "FILE")]
      : more.map((line) => line.trim().replaceAll(folder, "FOLDER"));
  }
  assert.fail("the file was taken");
}

test("an entry has defaults, and keys come from the environment or from files", async () => {
  const key = await write("key", "sk-file\n");
  const path = await write(
    "models.yaml",
    `default: claude
models:
  - name: local
    provider: openai-compatible
    model: llama3.1:8b
    base_url: http://127.0.0.1:11434/v1/
  - name: claude
    provider: anthropic
    model: claude-sonnet
    api_key_env: CLAUDE_KEY
    context_tokens: 200000
    tool_calling: native
    first_token_timeout_ms: 30000
    next_token_timeout_ms: 5000
    retries: 1
    max_concurrent: 40
    input_price: 3
    output_price: 15.5
    fallbacks: [local, extractive]
  - { name: command, provider: cohere, model: command-a, api_key_file: ${JSON.stringify(key)} }
`,
  );
  const { models, defaultModel } = readModelsFile(path, { CLAUDE_KEY: "sk-env" });
  assert.equal(defaultModel, "claude");
  assert.deepEqual(models[0], {
    ...{ name: "local", provider: "openai-compatible", model: "llama3.1:8b" },
    ...{ baseUrl: "http://127.0.0.1:11434/v1", apiKey: undefined, contextTokens: 8192 },
    ...{ toolCalling: "native", firstTokenTimeoutMs: 60_000, nextTokenTimeoutMs: 20_000, retries: 2 },
    ...{ maxConcurrent: undefined, prices: { input: 0, output: 0 }, fallbacks: [] },
  });
  assert.deepEqual(models[1], {
    ...{ name: "claude", provider: "anthropic", model: "claude-sonnet", baseUrl: undefined },
    ...{ apiKey: "sk-env", contextTokens: 200_000, toolCalling: "native", firstTokenTimeoutMs: 30_000 },
    ...{ nextTokenTimeoutMs: 5000, retries: 1, maxConcurrent: 40, prices: { input: 3, output: 15.5 } },
    fallbacks: ["local", "extractive"],
  });
  assert.equal(models[2]?.apiKey, "sk-file");
});

test("JSON is read as well, and so is the example that comes with Headwater", async () => {
  const json = { models: [{ name: "a", provider: "openai", model: "b", base_url: "https://h/v1" }] };
  assert.equal(readModelsFile(await write("m.json", JSON.stringify(json)), {}).models[0]?.name, "a");
  const example = join(import.meta.dirname, "../../../deploy/models.yaml");
  const keys = { OPENAI_API_KEY: "1", ANTHROPIC_API_KEY: "2", COHERE_API_KEY: "3" };
  assert.equal(readModelsFile(example, keys).models.length, 4);
});

test("every mistake is told at once", async () => {
  const told = await mistakes(
    `default: nobody
models:
  - { name: "no spaces", provider: gemini, model: "", retries: 99 }
  - { name: local, provider: openai-compatible, model: m, fallbacks: [local, gone] }
  - { name: local, provider: openai, model: m, api_key_env: MISSING, timeout: 5 }
  - { name: extractive, provider: cohere, model: m, api_key_env: MISSING }
  - { name: both, provider: cohere, model: m, api_key_env: THERE, api_key_file: ${join(folder, "gone")} }
`,
    { THERE: "key" },
  );
  assert.deepEqual(told, [
    "models[0].name: use 1 to 128 of A-Z a-z 0-9 _ . : / @ + -",
    "models[0].provider: allowed: openai-compatible, openai, anthropic, cohere",
    "models[0].model: Too small: expected string to have >=1 characters",
    "models[0].retries: Too big: expected number to be <=10",
    "models[1].base_url: required for openai-compatible",
    "models[2].timeout: there is no such field",
    "models[4].api_key_file: set either this or api_key_env, not both",
    'models[1].fallbacks: "local" is the model itself',
    'models[1].fallbacks: "gone" is not the name of a model',
    'models[2].name: "local" is taken',
    'models[3].name: "extractive" is taken',
    'default: "nobody" is not the name of a model',
    "models[3].api_key_env: the variable MISSING is not set",
  ]);
  assert.deepEqual(
    await mistakes(
      `models: [{ name: a, provider: cohere, model: m, api_key_file: ${join(folder, "gone")} }]`,
    ),
    ["models[0].api_key_file: FOLDER/gone cannot be read"],
  );
});

test("a key that was written into the file is refused and not shown", async () => {
  const told = await mistakes(`models: [{ name: a, provider: openai, model: m, api_key: sk-secret }]`);
  assert.deepEqual(told, [
    "models[0].api_key: there is no such field; keys are not written here: name api_key_env or api_key_file",
  ]);
  const broken = await mistakes("models: [{ api_key: sk-secret");
  assert.deepEqual(broken, ["HEADWATER_MODELS_FILE: FILE is neither YAML nor JSON"]);
  assert.throws(() => readModelsFile(join(folder, "not-there"), {}), /the file cannot be read/);
});
