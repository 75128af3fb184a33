import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { HeadwaterProcess } from "@headwater/cli/headwater-process";
import { startHeadwater } from "@headwater/cli/headwater-process";
import type { ScriptedModelServer } from "@headwater/language-model/scripted-model-server";
import { startScriptedModelServer } from "@headwater/language-model/scripted-model-server";
import { temporaryFolder } from "@headwater/testing";
import { eventually } from "../support/eventually.ts";
import type { OtlpReceiver, ReceivedSpan } from "../support/otlp-receiver.ts";
import { startOtlpReceiver } from "../support/otlp-receiver.ts";

const folder = await temporaryFolder();
let receiver: OtlpReceiver;
let headwater: HeadwaterProcess;
let models: ScriptedModelServer;
const key = "sk-very-secret";

before(async () => {
  receiver = await startOtlpReceiver();
  models = await startScriptedModelServer();
  const service = { base_url: models.baseUrl, api_key_env: "MODEL_KEY", retries: 0 };
  const entries = [
    { ...service, name: "first", provider: "anthropic", model: "model-down", fallbacks: ["second"] },
    { ...service, name: "second", provider: "openai", model: "model-up" },
  ];
  const modelsFile = join(folder, "models.json");
  await writeFile(modelsFile, JSON.stringify({ models: entries }));
  headwater = await startHeadwater(folder, {
    HEADWATER_OTLP_ENDPOINT: receiver.endpoint,
    HEADWATER_MODELS_FILE: modelsFile,
    MODEL_KEY: key,
    // The SDK's own variable: spans leave every 200 ms instead of every 5 s.
    OTEL_BSP_SCHEDULE_DELAY: "200",
  });
});
after(async () => {
  await headwater.stop();
  await models.close();
  receiver.close();
});

/** The spans of the trace that holds a span of this name, once it is whole: every parent is there. */
function traceOf(name: string): ReceivedSpan[] | undefined {
  const anchor = receiver.spans.findLast((span) => span.name === name);
  if (!anchor) return undefined;
  const spans = receiver.spans.filter((span) => span.traceId === anchor.traceId);
  const ids = new Set(spans.map((span) => span.spanId));
  const roots = spans.filter((span) => span.parentSpanId === "" || !ids.has(span.parentSpanId));
  return roots.length === 1 && roots[0]?.parentSpanId === "" ? spans : undefined;
}

function names(spans: readonly ReceivedSpan[]): string[] {
  return [...new Set(spans.map((span) => span.name))].sort();
}

/** True where `ancestor` is above `descendant` in the tree. */
function isAbove(spans: readonly ReceivedSpan[], ancestor: string, descendant: string): boolean {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  return spans
    .filter((span) => span.name === descendant)
    .some((span) => {
      for (let at = byId.get(span.parentSpanId); at; at = byId.get(at.parentSpanId)) {
        if (at.name === ancestor) return true;
      }
      return false;
    });
}

test("one trace runs from the push over HTTP to both indexes", async () => {
  const response = await fetch(`${headwater.url}/v1/documents?id=spring`, {
    method: "POST",
    headers: { "content-type": "text/plain" },
    body: "A spring is where groundwater comes to the surface.",
  });
  assert.equal(response.status, 202, await response.text());
  const spans = await eventually("a whole trace with ingest.index", () => traceOf("ingest.index"));
  for (const expected of [
    "headwater.v1.IngestService/Push",
    "ingest.document",
    "ingest.parse",
    "ingest.embed",
    "ingest.index",
  ]) {
    assert(names(spans).includes(expected), `${expected} is not in ${names(spans).join(", ")}`);
  }
  assert(isAbove(spans, "headwater.v1.IngestService/Push", "ingest.document"));
  assert(isAbove(spans, "ingest.document", "ingest.index"));
});

test("one trace runs from the question to the last token", async () => {
  const response = await fetch(`${headwater.url}/v1/answer`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ question: "Where does groundwater come to the surface?" }),
  });
  assert.equal(response.status, 200, await response.text());
  const spans = await eventually("a whole trace with chat extractive", () => traceOf("chat extractive"));
  for (const expected of [
    "headwater.v1.GenerationService/Answer",
    "generation.search",
    "headwater.v1.SearchService/Search",
    "search.lexical",
    "search.vector",
    "headwater.v1.EmbeddingService/EmbedQuery",
    "chat extractive",
  ]) {
    assert(names(spans).includes(expected), `${expected} is not in ${names(spans).join(", ")}`);
  }
  assert(isAbove(spans, "headwater.v1.GenerationService/Answer", "search.lexical"));
  assert(isAbove(spans, "headwater.v1.SearchService/Search", "headwater.v1.EmbeddingService/EmbedQuery"));
});

test("each model that is asked has a span after the conventions, without prompt, answer or key", async () => {
  models.script = async (exchange) => {
    if (exchange.request.body.model === "model-down") return exchange.fail(503, {}, key);
    await exchange.text("At a spring [1].");
    await exchange.finish("stop", { prompt_tokens: 70, completion_tokens: 6 });
  };
  const response = await fetch(`${headwater.url}/v1/answer`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      ...{ question: "Where does groundwater come to the surface?", model: "first" },
      ...{ temperature: 0.5, max_output_tokens: 64 },
    }),
  });
  assert.equal(response.status, 200, await response.text());
  const spans = await eventually("a whole trace with chat model-up", () => traceOf("chat model-up"));
  const up = spans.find(({ name }) => name === "chat model-up");
  assert.equal(up?.kind, 3);
  const { port, hostname } = new URL(models.baseUrl);
  const { "gen_ai.response.time_to_first_chunk": firstChunk, ...attributes } = up?.attributes ?? {};
  assert(typeof firstChunk === "number" && firstChunk > 0);
  assert.deepEqual(attributes, {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "model-up",
    "gen_ai.request.stream": true,
    "gen_ai.output.type": "text",
    "gen_ai.request.max_tokens": 64,
    "gen_ai.request.temperature": 0.5,
    "gen_ai.response.finish_reasons": ["complete"],
    "gen_ai.usage.input_tokens": 70,
    "gen_ai.usage.output_tokens": 6,
    "server.address": hostname,
    "server.port": Number(port),
  });
  const down = spans.find(({ name }) => name === "chat model-down");
  assert.equal(down?.attributes["gen_ai.provider.name"], "anthropic");
  assert.equal(down?.attributes["error.type"], "UNAVAILABLE");
  const all = JSON.stringify(receiver.spans);
  for (const secret of [key, "groundwater", "At a spring"]) assert(!all.includes(secret), secret);
});
