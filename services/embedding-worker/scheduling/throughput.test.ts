import assert from "node:assert/strict";
import { test } from "node:test";
import { Throughput } from "./throughput.ts";

test("starts with what was measured and follows what is seen", () => {
  const throughput = new Throughput(2, 10_000);
  assert.equal(throughput.tokensPerSecond, 10_000);
  assert.equal(throughput.millisecondsFor(500), 50);
  for (let batch = 0; batch < 2000; batch += 1) throughput.record(200, 100);
  assert(Math.abs(throughput.tokensPerSecond - 4000) < 50, String(throughput.tokensPerSecond));
});

test("a batch that took no time is not counted", () => {
  const throughput = new Throughput(1, 1000);
  throughput.record(10, 0);
  assert.equal(throughput.tokensPerSecond, 1000);
});
