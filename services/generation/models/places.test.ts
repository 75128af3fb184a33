import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { HeadwaterError } from "@headwater/errors";
import { createModelDouble, plainRequest } from "../testing/model-double.ts";
import { Places, withPlaces } from "./places.ts";

const never = new AbortController().signal;

test("callers beyond the limit wait in order, and those beyond twice the limit are refused at once", async () => {
  const places = new Places("m", 2, 60_000);
  const leaves = [await places.enter(never), await places.enter(never)];
  const order: number[] = [];
  const waiting = [1, 2].map(async (number) => {
    const leave = await places.enter(never);
    order.push(number);
    return leave;
  });
  await assert.rejects(places.enter(never), (thrown) => {
    assert(thrown instanceof HeadwaterError);
    assert.deepEqual([thrown.code, thrown.reason, thrown.retryAfterMs], [8, "HW_MODEL_FULL", 60_000]);
    assert.equal(thrown.message, 'All 2 places of model "m" are taken.');
    return true;
  });
  for (const leave of leaves) leave();
  const later = await Promise.all(waiting);
  assert.deepEqual(order, [1, 2]);
  for (const leave of later) leave();
  // All places are free again, and not one more.
  const again = [await places.enter(never), await places.enter(never)];
  const third = places.enter(never);
  assert.equal(await Promise.race([third, setImmediate("waits")]), "waits");
  for (const leave of again) leave();
  (await third)();
});

test("a wait that is too long is refused, and one whose caller leaves ends; neither keeps a place", async () => {
  const places = new Places("m", 1, 20);
  const leave = await places.enter(never);
  await assert.rejects(places.enter(never), { reason: "HW_MODEL_FULL" });
  const leaving = new AbortController();
  const left = places.enter(leaving.signal);
  leaving.abort();
  leave();
  await assert.rejects(left, { name: "AbortError" });
  await assert.rejects(places.enter(AbortSignal.abort()), { name: "AbortError" });
  (await places.enter(never))();
});

test("a model's place is held until its stream ends, fails or is left", async () => {
  const double = createModelDouble("m");
  const model = withPlaces(double, 1);
  for (let times = 0; times < 3; times += 1) {
    await Array.fromAsync(model.generate(plainRequest, never));
    for await (const _ of model.generate(plainRequest, never)) break;
    await assert.rejects(Array.fromAsync(model.generate(plainRequest, AbortSignal.abort())));
  }
  const held = model.generate(plainRequest, never)[Symbol.asyncIterator]();
  await held.next();
  const next = Array.fromAsync(model.generate(plainRequest, never));
  assert.equal(await Promise.race([next, setImmediate("waits")]), "waits");
  await held.return?.();
  assert.equal((await next).at(-1)?.type, "finish");
});
