import assert from "node:assert/strict";
import { test } from "node:test";
import { EventQueue } from "./event-queue.ts";

test("events come in order, those before and those after the reader asks", async () => {
  const queue = new EventQueue<number>();
  queue.push(1);
  const read = Array.fromAsync(queue);
  await Promise.resolve();
  queue.push(2);
  queue.push(3);
  queue.end();
  assert.deepEqual(await read, [1, 2, 3]);
});

test("a failure comes after the events before it", async () => {
  const queue = new EventQueue<number>();
  queue.push(1);
  queue.fail(new Error("broken"));
  const seen: number[] = [];
  await assert.rejects(async () => {
    for await (const event of queue) seen.push(event);
  }, /broken/);
  assert.deepEqual(seen, [1]);
});
