import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedCalls } from "./shared-calls.ts";

function setUp() {
  const calls = new SharedCalls<string>();
  const started: { signal: AbortSignal; work: PromiseWithResolvers<string> }[] = [];
  const join = (signal = new AbortController().signal) =>
    calls.join("key", signal, (signal) => {
      const work = Promise.withResolvers<string>();
      signal.addEventListener("abort", () => work.reject(signal.reason));
      started.push({ signal, work });
      return work.promise;
    });
  return { join, started };
}

test("equal calls at the same time are one; a later one is another", async () => {
  const { join, started } = setUp();
  const both = [join(), join()];
  assert.equal(started.length, 1);
  started[0]?.work.resolve("done");
  assert.deepEqual(await Promise.all(both), ["done", "done"]);
  const again = join();
  assert.equal(started.length, 2);
  started[1]?.work.resolve("again");
  assert.equal(await again, "again");
});

test("who leaves gives up alone; the work ends when all have left", async () => {
  const { join, started } = setUp();
  const [one, two] = [new AbortController(), new AbortController()];
  const [first, second] = [join(one.signal), join(two.signal)];
  one.abort();
  await assert.rejects(first, { name: "AbortError" });
  assert.equal(started[0]?.signal.aborted, false);
  two.abort();
  await assert.rejects(second, { name: "AbortError" });
  assert.equal(started[0]?.signal.aborted, true);
  void join().catch(() => {});
  assert.equal(started.length, 2);
});

test("a failure reaches all, and the next call tries anew", async () => {
  const { join, started } = setUp();
  const both = Promise.allSettled([join(), join()]);
  started[0]?.work.reject(new Error("no"));
  assert.deepEqual(
    (await both).map(({ status }) => status),
    ["rejected", "rejected"],
  );
  void join().catch(() => {});
  assert.equal(started.length, 2);
});

test("who has left before joining starts nothing that goes on", async () => {
  const { join, started } = setUp();
  await assert.rejects(join(AbortSignal.abort()), { name: "AbortError" });
  assert.equal(started[0]?.signal.aborted, true);
});
