import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadwaterError, status } from "@headwater/errors";
import { silentTelemetry } from "@headwater/telemetry";
import { createEmbeddingMetrics } from "../metrics.ts";
import { FakeEngine, settle } from "../testing/fake-engine.ts";
import type { SchedulerOptions } from "./scheduler.ts";
import { Scheduler } from "./scheduler.ts";
import { Throughput } from "./throughput.ts";
import type { EncodeWork, Lane } from "./work.ts";

function setUp(options: Partial<SchedulerOptions> = {}) {
  const engine = new FakeEngine();
  const telemetry = silentTelemetry("embedding-worker");
  const metrics = createEmbeddingMetrics(telemetry.metrics);
  const scheduler = new Scheduler({
    engine,
    limits: { tokens: 100, texts: 8 },
    urgentQueueTokens: 1000,
    throughput: new Throughput(1, 1000),
    metrics,
    tracer: telemetry.tracer,
    ...options,
  });
  const metric = async (name: string, labels: Record<string, string>) => {
    const found = await telemetry.metrics.getSingleMetric(name)?.get();
    return found?.values.find((value) =>
      Object.entries(labels).every(([key, is]) => value.labels[key] === is),
    )?.value;
  };
  return { engine, scheduler, metric };
}

function work(lane: Lane, length: number, options: { flow?: object; signal?: AbortSignal } = {}): EncodeWork {
  return {
    kind: "encode",
    lane,
    flow: options.flow ?? {},
    signal: options.signal ?? new AbortController().signal,
    input: { ids: new Int32Array(length).fill(length), vector: true, tokens: false },
  };
}

test("an idle engine starts at once, and what comes meanwhile is sorted into batches of like length", async () => {
  const { engine, scheduler } = setUp();
  const flow = {};
  const results = scheduler.submit(
    [90, 12, 50, 11, 49, 10].map((length) => work("passage", length, { flow })),
  );
  await settle();
  assert.deepEqual(
    engine.started.map(({ lengths }) => lengths),
    [[90]],
  );
  await engine.finishAll();
  assert.deepEqual(
    engine.started.map(({ lengths }) => lengths),
    [[90], [12, 11, 10], [50, 49]],
  );
  const outputs = (await Promise.all(results)).map(({ output }) => output.vector?.[0]);
  assert.deepEqual(outputs, [90, 12, 50, 11, 49, 10]);
});

test("queries go ahead of reranks, and those ahead of passages; a query goes alone", async () => {
  const { engine, scheduler } = setUp();
  const results = [
    ...scheduler.submit([work("passage", 40)]),
    ...scheduler.submit([work("passage", 41)]),
    ...scheduler.submit([work("rerank", 42)]),
    ...scheduler.submit([work("query", 5), work("query", 5)]),
  ];
  await settle();
  await engine.finishAll();
  await Promise.all(results);
  assert.deepEqual(
    engine.started.map(({ lengths }) => lengths),
    [[5], [5], [42], [40, 41]],
  );
});

test("a flood of urgent work does not stop passages", async () => {
  const { engine, scheduler } = setUp({ urgentQueueTokens: 100_000 });
  const results = scheduler.submit([
    ...Array.from({ length: 40 }, () => work("query", 50)),
    work("passage", 60),
    work("passage", 99),
  ]);
  await settle();
  await engine.finishAll();
  await Promise.all(results);
  const order = engine.started.map(({ lengths }) => lengths[0]);
  // Four batches' worth of tokens, 400, is eight queries of 50.
  assert.deepEqual([order.indexOf(60), order.indexOf(99)], [8, 17]);
});

test("urgent work beyond the limit is refused at once, with the time until the queue is done", async () => {
  const { engine, scheduler, metric } = setUp({ urgentQueueTokens: 100 });
  const results = scheduler.submit([work("query", 10), work("query", 60), work("rerank", 90)]);
  await settle();
  assert.throws(
    () => scheduler.submit([work("query", 1)]),
    (error: unknown) => {
      assert(error instanceof HeadwaterError);
      assert.deepEqual([error.code, error.reason, error.retryAfterMs], [8, "HW_OVERLOADED", 150]);
      return true;
    },
  );
  assert.equal(await metric("headwater_embedding_dropped_total", { why: "refused" }), 1);
  const passages = scheduler.submit([work("passage", 1000)]);
  await settle();
  await engine.finishAll();
  await Promise.all([...results, ...passages]);
  const late = scheduler.submit([work("query", 1)]);
  await settle();
  await engine.finishAll();
  await Promise.all(late);
});

test("work whose caller has left never reaches the engine, and is counted by why", async () => {
  const { engine, scheduler, metric } = setUp();
  const [left, timeUp] = [new AbortController(), new AbortController()];
  const [first] = scheduler.submit([work("passage", 10)]);
  await settle();
  const [gone] = scheduler.submit([work("passage", 30, { signal: left.signal })]);
  const [late] = scheduler.submit([work("passage", 60, { signal: timeUp.signal })]);
  assert.equal(scheduler.queuedTokens, 90);
  left.abort();
  timeUp.abort(new DOMException("time is up", "TimeoutError"));
  await assert.rejects(gone ?? assert.fail(), { name: "AbortError" });
  await assert.rejects(late ?? assert.fail(), { name: "TimeoutError" });
  assert.equal(scheduler.queuedTokens, 0);
  const [never] = scheduler.submit([work("passage", 5, { signal: left.signal })]);
  await assert.rejects(never ?? assert.fail(), { name: "AbortError" });
  await engine.finishAll();
  await first;
  assert.deepEqual(
    engine.started.map(({ lengths }) => lengths),
    [[10]],
  );
  assert.equal(await metric("headwater_embedding_dropped_total", { why: "left" }), 2);
  assert.equal(await metric("headwater_embedding_dropped_total", { why: "deadline" }), 1);
  assert.equal(await metric("headwater_embedding_queue_tokens", { lane: "passage" }), 0);
});

test("one text that fails does not fail its neighbours", async () => {
  const failures: (string | undefined)[] = [];
  const { engine, scheduler } = setUp({ onBatch: (failure) => failures.push(failure?.reason) });
  const inferenceFailed = new HeadwaterError({
    code: status.INTERNAL,
    reason: "HW_INFERENCE_FAILED",
    message: "no",
  });
  const results = scheduler.submit([work("passage", 10), work("passage", 11)]);
  const settled = Promise.allSettled(results);
  await settle();
  engine.running[0]?.fail(inferenceFailed);
  await settle();
  assert.deepEqual(
    engine.running.map(({ lengths }) => lengths),
    [[10], [11]],
  );
  engine.running[0]?.fail(inferenceFailed);
  await settle();
  await engine.finishAll();
  assert.deepEqual(
    (await settled).map((result) => result.status),
    ["rejected", "fulfilled"],
  );
  assert.deepEqual(failures, ["HW_INFERENCE_FAILED", "HW_INFERENCE_FAILED", undefined]);
  assert.equal(scheduler.inFlightTokens, 0);
});

test("tokens are counted in the queue, in the engine and when they are done", async () => {
  const { engine, scheduler, metric } = setUp();
  const results = scheduler.submit([work("passage", 90), work("passage", 70)]);
  await settle();
  assert.deepEqual([scheduler.inFlightTokens, scheduler.queuedTokens], [90, 70]);
  assert.equal(await metric("headwater_embedding_in_flight_tokens", {}), 90);
  assert.equal(await metric("headwater_embedding_queue_tokens", { lane: "passage" }), 70);
  await engine.finishAll();
  await Promise.all(results);
  assert.equal(await metric("headwater_embedding_tokens_total", { lane: "passage" }), 160);
  assert.equal(await metric("headwater_embedding_in_flight_tokens", {}), 0);
});

test("work that found the engine taken by others' jobs runs once those have ended", async () => {
  const { engine, scheduler } = setUp();
  engine.setPlaces(0);
  const results = scheduler.submit([work("rerank", 5)]);
  await settle();
  assert.equal(scheduler.queuedTokens, 5);
  engine.setPlaces(1);
  await engine.finishAll();
  await Promise.all(results);
  assert.equal(scheduler.queuedTokens, 0);
});
