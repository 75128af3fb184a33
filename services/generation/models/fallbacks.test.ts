import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import type { ModelRequest } from "@headwater/language-model";
import { createModelDouble, failing, plainRequest, saying } from "../testing/model-double.ts";
import { withFallbacks } from "./fallbacks.ts";

const never = new AbortController().signal;
const down = new HeadwaterError({
  ...{ code: status.UNAVAILABLE, reason: "HW_MODEL_UNAVAILABLE", message: "Down." },
});

function chain() {
  const first = createModelDouble("first");
  const second = createModelDouble("second", { toolCalling: "text", contextTokens: 200 });
  const third = createModelDouble("third");
  const extractive = createModelDouble("extractive", { toolCalling: "none", contextTokens: undefined });
  const steps: string[] = [];
  const model = withFallbacks(first, [second, third, extractive], (error, from, to) =>
    steps.push(`${from.name} > ${to.name}: ${error.reason}`),
  );
  const ask = async (change: Partial<ModelRequest> = {}) => {
    const events = await Array.fromAsync(model.generate({ ...plainRequest, ...change }, never));
    const finish = events.at(-1);
    return finish?.type === "finish" ? finish.model : undefined;
  };
  return { first, second, third, extractive, steps, model, ask };
}

test("the model that is asked answers while it can", async () => {
  const { ask, steps, second } = chain();
  assert.equal(await ask(), "first");
  assert.deepEqual([steps, second.requests.length], [[], 0]);
});

test("others answer in order for one that fails before its first event", async () => {
  const { ask, steps, first, second } = chain();
  first.script = () => failing(down);
  assert.equal(await ask(), "second");
  second.script = () => failing(down);
  assert.equal(await ask(), "third");
  assert.deepEqual(steps, [
    "first > second: HW_MODEL_UNAVAILABLE",
    "first > second: HW_MODEL_UNAVAILABLE",
    "second > third: HW_MODEL_UNAVAILABLE",
  ]);
});

test("those that cannot do what is asked are passed over", async () => {
  const { ask, first, second, third } = chain();
  for (const model of [first, third]) model.script = () => failing(down);
  const tools = [{ name: "time", description: "Tells the time.", parameters: {} }];
  await assert.rejects(ask({ tools }), { message: "Down." });
  assert.equal(second.requests.length, 0);
  await assert.rejects(ask({ messages: [{ role: "user", text: "long ".repeat(200) }] }), down);
  assert.equal(second.requests.length, 0);
  const sources = [{ number: 1, title: "", text: "It is." }];
  second.script = () => failing(down);
  assert.equal(await ask({ sources }), "extractive");
});

test("where none answers, the error is that of the model that was asked", async () => {
  const { ask, first, second, third } = chain();
  first.script = () => failing(down);
  for (const model of [second, third]) model.script = () => failing(new Error("Something else."));
  await assert.rejects(ask(), { message: "Down." });
});

test("a request that is wrong is wrong for all, and what began to answer goes on", async () => {
  const { ask, first, second } = chain();
  first.script = () => failing(invalidArgument("HW_LIMIT_INVALID", "Wrong."));
  await assert.rejects(ask(), { message: "Wrong." });
  first.script = () => failing(down, "The bridge ");
  await assert.rejects(ask(), { message: "Down." });
  assert.equal(second.requests.length, 0);
});

test("a caller who leaves sets off nobody else", async () => {
  const { first, second, model } = chain();
  const leave = new AbortController();
  first.script = async function* () {
    leave.abort();
    yield* saying("first");
    leave.signal.throwIfAborted();
  };
  await assert.rejects(Array.fromAsync(model.generate(plainRequest, leave.signal)), { name: "AbortError" });
  assert.equal(second.requests.length, 0);
});
