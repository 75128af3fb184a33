import assert from "node:assert/strict";
import { test } from "node:test";
import { connectionWork, streamWork } from "./stream-work.ts";
import { answering, connected, fleet } from "./testing/reports.ts";

test("streams of all pods are counted", () => {
  const pods = fleet([answering({ meanInFlight: 6.5 }), answering({ meanInFlight: 3 })]);
  assert.equal(streamWork(pods, 8, undefined), 9.5);
  assert.equal(connectionWork(fleet([connected(120), connected(90)]), 200), 210);
});

test("while answers are slow each stream counts for more, twice at most, by all calls together", () => {
  const slow = (seconds: number, samples: number) =>
    answering({ meanInFlight: 4, latencySeconds: seconds, latencySamples: samples });
  assert.equal(streamWork(fleet([slow(0.3, 100)]), 8, 0.5), 4);
  assert.equal(streamWork(fleet([slow(0.75, 100)]), 8, 0.5), 6);
  assert.equal(streamWork(fleet([slow(30, 100)]), 8, 0.5), 8);
  assert.equal(streamWork(fleet([slow(30, 100)]), 8, undefined), 4);
  // One slow call on one pod says little beside 99 of another.
  assert.equal(streamWork(fleet([slow(3, 1), slow(0.4, 99)]), 8, 0.5), 8);
  assert.equal(streamWork(fleet([slow(0, 0)]), 8, 0.5), 4);
});

test("pods of which nothing is known are never the reason for fewer", () => {
  const pod = answering({ meanInFlight: 12 });
  assert.equal(streamWork(fleet([], { lost: [pod] }), 8, undefined), 12);
  assert.equal(streamWork(fleet([], { lost: [answering({})] }), 8, undefined), 8);
  assert.equal(streamWork(fleet([pod], { unheard: 1 }), 8, undefined), 16);
  assert.equal(connectionWork(fleet([connected(10)], { lost: [connected(50)], unheard: 1 }), 100), 210);
});
