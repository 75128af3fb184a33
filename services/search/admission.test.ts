import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import { Admission } from "./admission.ts";

const never = new AbortController().signal;

test("so many run, so many wait in order, the rest is refused at once with a hint", async () => {
  const admission = new Admission(1, 2);
  const leaveFirst = await admission.enter(never);
  const order: string[] = [];
  const enter = async (name: string) => {
    const leave = await admission.enter(never);
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
  const admission = new Admission(1, 1);
  const leave = await admission.enter(never);
  const leaving = new AbortController();
  const waiting = admission.enter(leaving.signal);
  leaving.abort();
  await assert.rejects(waiting, { name: "AbortError" });
  assert.equal(admission.waiting, 0);
  const next = admission.enter(never);
  leave();
  (await next)();
  assert.equal(admission.running, 0);
  await assert.rejects(admission.enter(AbortSignal.abort()), { name: "AbortError" });
});
