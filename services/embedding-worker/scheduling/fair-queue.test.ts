import assert from "node:assert/strict";
import { test } from "node:test";
import { FairQueue } from "./fair-queue.ts";

function drain(queue: FairQueue<string>): string[] {
  const order: string[] = [];
  while (queue.length > 0) {
    queue.advance();
    const [first = ""] = queue.peek(1);
    order.push(first);
    queue.remove(new Set([first]));
  }
  return order;
}

test("one flow is first in, first out", () => {
  const queue = new FairQueue<string>();
  const flow = {};
  for (const item of ["a", "b", "c"]) queue.push(item, 10, flow);
  assert.equal(queue.tokens, 30);
  assert.deepEqual(drain(queue), ["a", "b", "c"]);
  assert.equal(queue.tokens, 0);
});

test("a flow with much work does not put one with little behind it", () => {
  const queue = new FairQueue<string>();
  const [much, little] = [{}, {}];
  for (let item = 0; item < 100; item += 1) queue.push(`much ${item}`, 10, much);
  queue.push("little 0", 10, little);
  queue.push("little 1", 10, little);
  assert.deepEqual(drain(queue).slice(0, 4), ["much 0", "little 0", "much 1", "little 1"]);
});

test("flows share by tokens, not by items", () => {
  const queue = new FairQueue<string>();
  const [long, short] = [{}, {}];
  for (let item = 0; item < 3; item += 1) queue.push(`long ${item}`, 40, long);
  for (let item = 0; item < 9; item += 1) queue.push(`short ${item}`, 10, short);
  const order = drain(queue);
  assert.deepEqual(
    order.filter((item) => item.startsWith("long")).map((item) => order.indexOf(item)),
    [0, 5, 10],
  );
});

test("a flow that comes late starts now: it is owed nothing for the time before", () => {
  const queue = new FairQueue<string>();
  const [early, late] = [{}, {}];
  for (let item = 0; item < 4; item += 1) queue.push(`early ${item}`, 10, early);
  queue.remove(new Set(["early 0", "early 1"]));
  queue.advance();
  for (let item = 0; item < 3; item += 1) queue.push(`late ${item}`, 10, late);
  assert.deepEqual(drain(queue), ["early 2", "late 0", "early 3", "late 1", "late 2"]);
});

test("removing what is not there changes nothing", () => {
  const queue = new FairQueue<string>();
  queue.push("a", 5, {});
  queue.remove(new Set(["b"]));
  assert.deepEqual([queue.length, queue.tokens], [1, 5]);
});
