import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadwaterError, status } from "@headwater/errors";
import { ModelHealth } from "./model-health.ts";
import { FakeEngine, settle } from "./testing/fake-engine.ts";

const failure = new HeadwaterError({ code: status.INTERNAL, reason: "HW_INFERENCE_FAILED", message: "no" });

test("without a failure nothing is tried", async () => {
  const engine = new FakeEngine();
  const health = new ModelHealth(engine, Int32Array.of(1, 2));
  await health.check();
  health.record(failure);
  health.record(undefined);
  await health.check();
  assert.equal(engine.started.length, 0);
});

test("after a failure a forward pass decides, each time until one is good", async () => {
  const engine = new FakeEngine();
  const health = new ModelHealth(engine, Int32Array.of(1, 2));
  health.record(failure);
  const first = assert.rejects(health.check(), { code: 14, reason: "HW_MODEL_FAILING" });
  await settle();
  engine.running[0]?.fail(failure);
  await first;
  const second = health.check();
  await settle();
  await engine.finishAll();
  await second;
  await health.check();
  assert.equal(engine.started.length, 2);
});
