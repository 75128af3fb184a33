import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import { Admission } from "./admission.ts";

const never = new AbortController().signal;
const limits = { maxRunning: 1, maxWaiting: 100, maxWaitMs: 60_000 };

test("so many run, so many wait in order, the rest is refused at once with a hint", async () => {
  const admission = new Admission({ ...limits, maxWaiting: 2 });
  const { leave: leaveFirst } = await admission.enter(never);
  const order: string[] = [];
  const enter = async (name: string) => {
    const { leave } = await admission.enter(never);
    order.push(name);
    return leave;
  };
  const second = enter("second");
  const third = enter("third");
  assert.deepEqual([admission.running, admission.waiting], [1, 2]);
  await assert.rejects(admission.enter(never), (error: unknown) => {
    assert(error instanceof HeadwaterError);
    assert.deepEqual([error.code, error.reason], [8, "HW_SEARCH_OVERLOADED"]);
    assert(error.retryAfterMs !== undefined && error.retryAfterMs >= 50);
    return true;
  });
  leaveFirst();
  leaveFirst();
  const leaveSecond = await second;
  assert.deepEqual([order, admission.running, admission.waiting], [["second"], 1, 1]);
  leaveSecond();
  (await third)();
  assert.deepEqual([order, admission.running, admission.waiting], [["second", "third"], 0, 0]);
});

test("a caller who leaves the line makes room in it", async () => {
  const admission = new Admission({ ...limits, maxWaiting: 1 });
  const { leave } = await admission.enter(never);
  const leaving = new AbortController();
  const waiting = admission.enter(leaving.signal);
  leaving.abort();
  await assert.rejects(waiting, { name: "AbortError" });
  assert.equal(admission.waiting, 0);
  const next = admission.enter(never);
  leave();
  (await next).leave();
  assert.equal(admission.running, 0);
  await assert.rejects(admission.enter(AbortSignal.abort()), { name: "AbortError" });
});

test("who would wait longer than is allowed is refused, by how long the searches before took", async (t) => {
  let now = 0;
  t.mock.method(performance, "now", () => now);
  const admission = new Admission({ maxRunning: 2, maxWaiting: 100, maxWaitMs: 1000 });
  // Searches of 400 ms, until the mean is as good as that: two places then mean 200 ms for each who waits.
  for (let search = 0; search < 100; search += 1) {
    const { leave } = await admission.enter(never);
    now += 400;
    leave();
  }
  const running = [await admission.enter(never), await admission.enter(never)];
  const waiting = Array.from({ length: 5 }, () => admission.enter(never));
  assert.equal(admission.waiting, 5);
  await assert.rejects(admission.enter(never), { reason: "HW_SEARCH_OVERLOADED", retryAfterMs: 1200 });
  for (const { leave } of running) leave();
  for (const entering of waiting) (await entering).leave();
  assert.deepEqual([admission.running, admission.waiting], [0, 0]);
});

test("who has waited twice as long as is allowed is refused, and whoever is in time goes on", async (t) => {
  let now = 0;
  t.mock.method(performance, "now", () => now);
  const admission = new Admission({ ...limits, maxWaitMs: 1000 });
  const { leave } = await admission.enter(never);
  const late = admission.enter(never);
  now = 1500;
  const inTime = admission.enter(never);
  now = 2500;
  leave();
  await assert.rejects(late, { reason: "HW_SEARCH_OVERLOADED" });
  const { waitedMs, leave: leaveInTime } = await inTime;
  assert.equal(waitedMs, 1000);
  leaveInTime();
  assert.deepEqual([admission.running, admission.waiting], [0, 0]);
});
