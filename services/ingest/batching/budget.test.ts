import assert from "node:assert/strict";
import { test } from "node:test";
import { Budget } from "./budget.ts";

test("those who ask are served in turn, and a large request is not overtaken", async () => {
  const budget = new Budget(10);
  const order: string[] = [];
  const first = await budget.acquire(6);
  const large = budget.acquire(8).then((release) => {
    order.push("large");
    return release;
  });
  const small = budget.acquire(1).then((release) => {
    order.push("small");
    return release;
  });
  await new Promise((done) => setImmediate(done));
  assert.deepEqual(order, []);
  assert.equal(budget.free, 0, "what is free belongs to those who wait");
  first();
  first();
  (await large)();
  (await small)();
  assert.deepEqual([order, budget.used], [["large", "small"], 0]);
});

test("more than there is waits for all of it", async () => {
  const budget = new Budget(10);
  const one = await budget.acquire(1);
  const all = budget.acquire(1000);
  one();
  (await all)();
  assert.equal(budget.free, 10);
});

test("who leaves makes room for the next", async () => {
  const budget = new Budget(10);
  await budget.acquire(5);
  const leave = new AbortController();
  const large = budget.acquire(9, leave.signal);
  const small = budget.acquire(2);
  leave.abort();
  await assert.rejects(large, { name: "AbortError" });
  await small;
  assert.equal(budget.used, 7);
});
