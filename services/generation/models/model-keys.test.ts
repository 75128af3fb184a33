import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import type { ScriptedModelServer } from "@headwater/language-model/scripted-model-server";
import { startScriptedModelServer } from "@headwater/language-model/scripted-model-server";
import { createLogger, silentTelemetry } from "@headwater/telemetry";
import { temporaryFolder } from "@headwater/testing";
import { readGenerationConfig } from "../config.ts";
import { plainRequest } from "../testing/model-double.ts";
import type { Models } from "./models.ts";
import { createModels } from "./models.ts";

const key = "sk-very-secret";
const never = new AbortController().signal;
const lines: string[] = [];
const log = createLogger("generation", "trace", { write: (line) => lines.push(line) });
const telemetry = { ...silentTelemetry("generation"), log };

let server: ScriptedModelServer;
let models: Models;
before(async () => {
  server = await startScriptedModelServer();
  const folder = await temporaryFolder();
  const keyFile = join(folder, "key");
  await writeFile(keyFile, `${key}\n`);
  const service = { model: "m", base_url: server.baseUrl, retries: 1 };
  const entries = [
    { ...service, name: "a", provider: "openai-compatible", api_key_file: keyFile, fallbacks: ["b"] },
    { ...service, name: "b", provider: "anthropic", api_key_env: "SECRET" },
    { ...service, name: "c", provider: "cohere", api_key_env: "SECRET", base_url: server.cohereBaseUrl },
  ];
  const file = join(folder, "models.json");
  await writeFile(file, JSON.stringify({ models: entries, default: "a" }));
  const config = readGenerationConfig({ HEADWATER_MODELS_FILE: file, SECRET: key });
  models = createModels(config, async () => undefined, telemetry);
});
after(async () => {
  await models.close();
  await server.close();
});

test("the default, the fallbacks and how each calls tools are those of the file", () => {
  assert.deepEqual(
    models.all.map(({ name, provider, toolCalling }) => [name, provider, toolCalling]),
    [
      ["a", "openai-compatible", "native"],
      ["b", "anthropic", "native"],
      ["c", "cohere", "native"],
      ["extractive", "extractive", "none"],
    ],
  );
  assert.equal(models.default.name, "a");
  assert.deepEqual([models.fallbacksOf("a"), models.fallbacksOf("b")], [["b"], []]);
  assert.throws(() => models.find("d"), { reason: "HW_MODEL_UNKNOWN" });
});

test("a service that repeats the key in its errors does not bring it into ours, the logs or the metrics", async () => {
  for (const code of [400, 401, 404, 429, 503]) {
    for (const name of ["a", "b", "c"]) {
      server.script = async (exchange) => {
        exchange.fail(
          code,
          { "x-echo": key },
          `{"error":{"message":"${key}","type":"${key}"},"message":"${key}"}`,
        );
      };
      await assert.rejects(Array.fromAsync(models.find(name).generate(plainRequest, never)), (thrown) => {
        assert(thrown instanceof HeadwaterError);
        log.error({ err: thrown }, "call failed");
        for (let error: unknown = thrown; error instanceof Error; error = error.cause)
          assert(!`${error.message} ${error.stack}`.includes(key));
        return true;
      });
    }
  }
  assert(server.requests.length >= 20, "the fallbacks and retries were not tried");
  assert(lines.some((line) => line.includes("another language model is asked")));
  assert(lines.some((line) => line.includes("a language model is asked again")));
  assert(!lines.join("").includes(key));
  assert(!(await telemetry.metrics.metrics()).includes(key));
});

test("the metrics tell who failed and who answered", async () => {
  server.script = async (exchange) => {
    if (exchange.request.path.endsWith("/chat/completions")) return exchange.fail(401);
    await exchange.text("Yes.");
    await exchange.finish("stop", { prompt_tokens: 5, completion_tokens: 2 });
  };
  const finish = (await Array.fromAsync(models.default.generate(plainRequest, never))).at(-1);
  assert(finish?.type === "finish" && finish.model === "b");
  const metrics = await telemetry.metrics.metrics();
  assert.match(metrics, /headwater_generation_model_fallbacks_total\{[^}]*model="a",fallback="b"/);
  assert.match(metrics, /headwater_generation_tokens_total\{[^}]*model="b",direction="output"[^}]*\} 2/);
});
