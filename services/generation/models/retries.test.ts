import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadwaterError, status } from "@headwater/errors";
import type { ModelDouble } from "../testing/model-double.ts";
import { createModelDouble, failing, plainRequest, saying } from "../testing/model-double.ts";
import { withRetries } from "./retries.ts";

const never = new AbortController().signal;
const down = new HeadwaterError({
  ...{ code: status.UNAVAILABLE, reason: "HW_MODEL_UNAVAILABLE", message: "Down." },
});
const busy = (retryAfterMs: number) =>
  new HeadwaterError({
    ...{ code: status.RESOURCE_EXHAUSTED, reason: "HW_MODEL_BUSY", message: "Busy.", retryAfterMs },
  });

/** Fails with these, one request after the other, then answers. */
function failsFirst(...errors: readonly Error[]): ModelDouble {
  const model = createModelDouble("m");
  model.script = () => {
    const error = errors[model.requests.length - 1];
    return error ? failing(error) : saying("m", "Yes.");
  };
  return model;
}

async function attempts(model: ModelDouble, retries: number): Promise<[number, string]> {
  const events = await Array.fromAsync(
    withRetries(model, retries, () => {}).generate(plainRequest, never),
  ).catch((thrown: Error) => thrown.message);
  return [model.requests.length, typeof events === "string" ? events : "answered"];
}

test("a failure before the first event is tried again, so often and no more", async () => {
  assert.deepEqual(await attempts(failsFirst(down, down), 2), [3, "answered"]);
  assert.deepEqual(await attempts(failsFirst(down, down), 1), [2, "Down."]);
  assert.deepEqual(await attempts(failsFirst(down), 0), [1, "Down."]);
});

test("what another attempt cannot mend is not tried again", async () => {
  const key = { code: status.FAILED_PRECONDITION, reason: "HW_MODEL_KEY_REFUSED", message: "Key." } as const;
  const slow = { code: status.UNAVAILABLE, reason: "HW_MODEL_TIMEOUT", message: "Slow." } as const;
  for (const options of [key, slow])
    assert.deepEqual(await attempts(failsFirst(new HeadwaterError(options)), 2), [1, options.message]);
  assert.deepEqual(await attempts(failsFirst(new TypeError("A bug.")), 2), [1, "A bug."]);
});

test("after the first event nothing is tried again", async () => {
  const model = createModelDouble("m");
  model.script = () => failing(down, "The bridge ");
  const seen: string[] = [];
  await assert.rejects(
    async () => {
      for await (const event of withRetries(model, 2, () => {}).generate(plainRequest, never))
        if (event.type === "text") seen.push(event.text);
    },
    { message: "Down." },
  );
  assert.deepEqual([seen, model.requests.length], [["The bridge "], 1]);
});

test("a service's own hint is waited for, unless it asks for too much", async () => {
  const started = performance.now();
  assert.deepEqual(await attempts(failsFirst(busy(700)), 2), [2, "answered"]);
  // Timers may fire a millisecond early.
  assert(performance.now() - started >= 695);
  assert.deepEqual(await attempts(failsFirst(busy(60_000)), 2), [1, "Busy."]);
});

test("a caller who leaves while it waits is gone at once", async () => {
  const leave = new AbortController();
  const model = failsFirst(busy(9000));
  const answer = Array.fromAsync(
    withRetries(model, 2, () => leave.abort()).generate(plainRequest, leave.signal),
  );
  await assert.rejects(answer, { name: "AbortError" });
  assert.equal(model.requests.length, 1);
});

test("retries are a bounded share of the requests", async () => {
  const model = createModelDouble("m");
  model.script = () => failing(down);
  const retried = withRetries(model, 1, () => {});
  const all = Array.from({ length: 50 }, () =>
    assert.rejects(Array.fromAsync(retried.generate(plainRequest, never)), { message: "Down." }),
  );
  await Promise.all(all);
  assert.equal(model.requests.length, 60);
});
