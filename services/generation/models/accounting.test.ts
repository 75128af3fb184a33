import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadwaterError, status } from "@headwater/errors";
import { createRegistry } from "@headwater/telemetry";
import { createModelDouble, failing, plainRequest } from "../testing/model-double.ts";
import { withAccounting } from "./accounting.ts";
import { createModelMetrics } from "./model-metrics.ts";

const never = new AbortController().signal;
const down = new HeadwaterError({
  ...{ code: status.UNAVAILABLE, reason: "HW_MODEL_UNAVAILABLE", message: "Down." },
});

function create() {
  const registry = createRegistry("generation");
  const double = createModelDouble("m");
  const metrics = createModelMetrics(registry, ["m"]);
  const model = withAccounting(double, "gpt-x", { input: 2.5, output: 10 }, metrics);
  const value = async (name: string, labels: Record<string, string> = {}) => {
    const metric = (await registry.getMetricsAsJSON()).find((each) => name.startsWith(each.name));
    const found = metric?.values.filter(
      (each) =>
        (!("metricName" in each) || each.metricName === name) &&
        Object.entries(labels).every(([label, expected]) => Reflect.get(each.labels, label) === expected),
    );
    assert(found?.length === 1, `${name}: ${JSON.stringify(metric?.values)}`);
    return found[0]?.value;
  };
  return { double, model, value };
}

test("tokens are priced by the million, in the usage and in the metrics", async () => {
  const { model, value } = create();
  assert.equal(await value("headwater_generation_cost_dollars_total"), 0);
  const finish = (await Array.fromAsync(model.generate(plainRequest, never))).at(-1);
  assert(finish?.type === "finish");
  assert.deepEqual(finish.usage, { inputTokens: 1000, outputTokens: 200, cost: 0.0045 });
  assert.equal(await value("headwater_generation_cost_dollars_total"), 0.0045);
  assert.equal(await value("headwater_generation_tokens_total", { direction: "output" }), 200);
  assert.equal(
    await value("gen_ai_client_token_usage_sum", {
      gen_ai_operation_name: "chat",
      gen_ai_provider_name: "openai-compatible",
      gen_ai_request_model: "gpt-x",
      gen_ai_token_type: "input",
    }),
    1000,
  );
  assert.equal(await value("gen_ai_client_operation_duration_seconds_count"), 1);
});

test("an answer that is left or breaks off is estimated; one that never began costs nothing", async () => {
  const { double, model, value } = create();
  const output = () => value("headwater_generation_tokens_total", { direction: "output" });
  double.script = () => failing(down);
  await assert.rejects(Array.fromAsync(model.generate(plainRequest, never)), down);
  assert.equal(await output(), 0);
  double.script = () => failing(down, "Four score and seven years ago", " our fathers");
  await assert.rejects(Array.fromAsync(model.generate(plainRequest, never)), down);
  assert.equal(await output(), 11);
  for await (const _ of model.generate(plainRequest, never)) break;
  assert.equal(await output(), 19);
  const failed = { error_type: "UNAVAILABLE" };
  assert.equal(await value("gen_ai_client_operation_duration_seconds_count", failed), 2);
});
