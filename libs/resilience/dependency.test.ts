import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError, status } from "@headwater/errors";
import { Registry } from "@headwater/telemetry";
import { Dependency } from "./dependency.ts";
import { registerDependencyMetrics } from "./metrics.ts";

function create(timeoutMs = 1000, name = "Store"): Dependency {
  return new Dependency({
    ...{ name, reason: "HW_STORE_UNAVAILABLE", action: "Start it.", timeoutMs },
    toError: (thrown) =>
      thrown instanceof RangeError
        ? new HeadwaterError({
            ...{ code: status.INVALID_ARGUMENT, reason: "HW_BAD", message: "Bad.", cause: thrown },
          })
        : new HeadwaterError({
            ...{ code: status.UNAVAILABLE, reason: "HW_STORE_UNAVAILABLE", message: "Down.", cause: thrown },
          }),
  });
}

const down = async () => {
  throw new Error("connection refused");
};

test("a failure that passes is tried again; what the caller did wrong is not", async () => {
  const store = create();
  let calls = 0;
  const flaky = async () => {
    calls += 1;
    if (calls < 3) throw new Error("connection reset");
    return calls;
  };
  assert.equal(await store.run(flaky), 3);
  let bad = 0;
  const wrong = async () => {
    bad += 1;
    throw new RangeError("limit");
  };
  await assert.rejects(store.run(wrong), { reason: "HW_BAD" });
  assert.equal(bad, 1);
});

test("while the server is down calls are refused at once, and it comes back by itself", async () => {
  const store = create();
  for (let call = 0; call < 5; call += 1)
    await assert.rejects(store.run(down, { attempts: 1 }), { message: "Down." });
  assert(store.isOpen);
  let reached = false;
  const work = async () => {
    reached = true;
  };
  await assert.rejects(store.run(work), {
    ...{ reason: "HW_STORE_UNAVAILABLE", message: "Store does not answer.", code: status.UNAVAILABLE },
    action: "Start it.",
  });
  assert.equal(reached, false);
  while (!reached) {
    await delay(50);
    await store.run(work).catch(() => {});
  }
  assert.equal(store.isOpen, false);
});

test("an answer that does not come is given up, and its signal fires", async () => {
  const store = create(20);
  const signals: AbortSignal[] = [];
  const hangs = (signal: AbortSignal) => {
    signals.push(signal);
    return new Promise<never>(() => {});
  };
  await assert.rejects(store.run(hangs, { attempts: 2 }), { message: "Store did not answer within 20 ms." });
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true, true],
  );
});

test("a caller who leaves gets an AbortError, and the server is not blamed", async () => {
  const store = create();
  for (let call = 0; call < 10; call += 1) {
    const left = new AbortController();
    const running = store.run((signal) => delay(10_000, undefined, { signal }), { signal: left.signal });
    left.abort();
    await assert.rejects(running, { name: "AbortError" });
  }
  assert.equal(store.isOpen, false);
});

test("retries are a bounded share of the calls", async () => {
  const store = create();
  let attempts = 0;
  const busy = async () => {
    attempts += 1;
    throw new HeadwaterError({ code: status.RESOURCE_EXHAUSTED, reason: "HW_BUSY", message: "Busy." });
  };
  const dependency = new Dependency({
    ...{ name: "Store", reason: "HW_STORE_UNAVAILABLE", action: "", timeoutMs: 1000 },
    toError: HeadwaterError.from,
  });
  await Promise.all(
    Array.from({ length: 50 }, () => assert.rejects(dependency.run(busy), { reason: "HW_BUSY" })),
  );
  assert.equal(attempts, 60);
  assert.equal(store.isOpen, false);
});

test("calls, attempts and the breaker are told of, from zero", async () => {
  const registry = new Registry();
  registerDependencyMetrics(registry);
  const store = create(1000, "Vault");
  const values = async () => {
    const page = await registry.metrics();
    const value = (series: string) =>
      Number(page.split(`headwater_dependency_${series} `)[1]?.split("\n")[0]);
    return [
      ...["ok", "failed", "refused"].map((outcome) =>
        value(`calls_total{dependency="vault",outcome="${outcome}"}`),
      ),
      value('retries_total{dependency="vault"}'),
      value('call_duration_seconds_count{dependency="vault"}'),
      value('open{dependency="vault"}'),
    ];
  };
  assert.deepEqual(await values(), [0, 0, 0, 0, 0, 0]);
  await store.run(async () => {});
  await assert.rejects(
    store.run(async () => {
      throw new RangeError("limit");
    }),
  );
  await assert.rejects(store.run(down));
  assert.deepEqual(await values(), [2, 1, 0, 2, 5, 0]);
  for (let call = 0; call < 2; call += 1) await assert.rejects(store.run(down, { attempts: 1 }));
  await assert.rejects(store.run(down, { attempts: 1 }));
  assert.deepEqual(await values(), [2, 3, 1, 2, 7, 1]);
});
