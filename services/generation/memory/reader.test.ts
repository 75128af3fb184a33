import assert from "node:assert/strict";
import { test } from "node:test";
import type { LanguageModel, ModelRequest } from "@headwater/language-model";
import { createExtractiveModel } from "@headwater/language-model";
import { silentTelemetry } from "@headwater/telemetry";
import { createMemoryMetrics } from "./metrics.ts";
import { createReader } from "./reader.ts";

const telemetry = silentTelemetry("generation");
const metrics = createMemoryMetrics(telemetry.metrics);
const reader = createReader(metrics, telemetry.log);
const { signal } = new AbortController();

/** A model that writes what it is told to, and keeps what it was asked. */
function writer(text: string | Error): LanguageModel & { readonly asked: ModelRequest[] } {
  const asked: ModelRequest[] = [];
  return {
    asked,
    name: "writer",
    provider: "openai-compatible",
    toolCalling: "none",
    contextTokens: 8192,
    async *generate(request) {
      asked.push(request);
      if (text instanceof Error) throw text;
      yield { type: "text", text };
      yield {
        type: "finish",
        reason: "complete",
        usage: { inputTokens: 1, outputTokens: 1, cost: 0 },
        model: "writer",
      };
    },
    close: async () => {},
  };
}
const failures = async () => (await metrics.modelFailures.get()).values[0]?.value ?? 0;
const ski = [
  { id: "tea", text: "I drink tea.", near: 0.5 },
  { id: "ski", text: "I ski.", near: 0.4 },
];

test("a model that writes takes the message apart, and nothing is kept that the person did not say", async () => {
  const model = writer('```json\n["I am a nurse in Berlin.", "I am married to a pilot called Jan."]\n```');
  const found = await reader.statementsOf("i'm a nurse, berlin based. what should i read?", model, signal);
  assert.deepEqual(found, ["I am a nurse in Berlin."]);
  assert.equal(model.asked.length, 1);
});

test("no model is asked where nothing is stated, and none is shown a secret", async () => {
  const model = writer("[]");
  assert.deepEqual(await reader.statementsOf("Who built the engine?", model, signal), []);
  assert.deepEqual(await reader.statementsOf("My password is hunter2. I ski.", model, signal), [
    "My password is hunter2.",
    "I ski.",
  ]);
  assert.deepEqual(model.asked, []);
});

test("rules read where a model fails, or does not answer in the form that it was asked for", async () => {
  for (const model of [writer(new Error("away")), writer("Sure! The person skis."), writer('{"a": 1}')]) {
    const before = await failures();
    assert.deepEqual(await reader.statementsOf("I ski in Davos.", model, signal), ["I ski in Davos."]);
    assert.equal(await failures(), before + 1);
  }
});

test("a caller who left gets no reading by rules", async () => {
  const gone = AbortSignal.abort();
  await assert.rejects(reader.statementsOf("I ski in Davos.", writer(new Error("aborted")), gone), {
    name: "AbortError",
  });
});

test("a model tells what a statement is to the memories near it", async () => {
  const judge = (text: string) => reader.judge("I gave up skiing.", ski, writer(text), signal);
  assert.deepEqual(await judge('{"relation": "contradicts", "note": 2}'), {
    relation: "contradicts",
    candidate: ski[1],
  });
  assert.deepEqual(await judge('{"relation": "same", "note": 1}'), {
    relation: "repeats",
    candidate: ski[0],
  });
  assert.deepEqual(await judge('{"relation": "different", "note": 0}'), {
    relation: "new",
    candidate: undefined,
  });
  const before = await failures();
  await judge('{"relation": "same", "note": 7}');
  assert.equal(await failures(), before + 1);
});

test("without memories near it, and with the extractive model, no model is asked", async () => {
  const model = writer(new Error("asked"));
  assert.equal((await reader.judge("I ski.", [], model, signal)).relation, "new");
  const extractive = createExtractiveModel({ rankSentences: async () => undefined });
  assert.deepEqual(await reader.statementsOf("I ski in Davos.", extractive, signal), ["I ski in Davos."]);
});
