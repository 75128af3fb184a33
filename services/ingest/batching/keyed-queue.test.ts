import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyedQueue } from "./keyed-queue.ts";

test("equal keys run in order, also past a failure; others run side by side; nothing is kept", async () => {
  const queue = new KeyedQueue();
  const events: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = queue.run("a", async () => {
    events.push("a1 begins");
    await gate.promise;
    throw new Error("a1 fails");
  });
  const second = queue.run("a", async () => void events.push("a2"));
  await queue.run("b", async () => void events.push("b"));
  assert(queue.has("a"));
  gate.resolve();
  await assert.rejects(first, { message: "a1 fails" });
  await second;
  await new Promise((done) => setImmediate(done));
  assert.deepEqual(events, ["a1 begins", "b", "a2"]);
  assert(!queue.has("a") && !queue.has("b"));
});
