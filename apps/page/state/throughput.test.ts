import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sample } from "./throughput.ts";
import { ratesOf, recentRate, withSample } from "./throughput.ts";

function samplesOf(...counts: number[]): Sample[] {
  let samples: Sample[] = [];
  for (const [second, indexed] of counts.entries())
    samples = withSample(samples, { time: second * 1000, indexed });
  return samples;
}

test("rates are documents a second between samples", () => {
  assert.deepEqual(ratesOf(samplesOf(0, 5, 5, 25)), [5, 0, 20]);
  assert.deepEqual(ratesOf(samplesOf(3)), []);
});

test("the recent rate looks at the last seconds only", () => {
  const counts = [0, 1000, ...Array.from({ length: 20 }, (_, index) => 1000 + index * 2)];
  assert.equal(recentRate(samplesOf(...counts)), 2);
  assert.equal(recentRate([]), 0);
});

test("a service that was started anew counts from there", () => {
  assert.deepEqual(
    samplesOf(500, 600, 10).map(({ indexed }) => indexed),
    [10],
  );
});

test("two minutes are kept", () => {
  assert.equal(samplesOf(...Array.from({ length: 300 }, (_, index) => index)).length, 120);
});
