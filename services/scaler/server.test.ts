import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { ExternalScalerDefinition } from "@headwater/proto/services/externalscaler/externalscaler";
import type { WatchLoadResponse } from "@headwater/proto/services/headwater/v1/load";
import type { RpcClient } from "@headwater/rpc";
import { createRpcClient } from "@headwater/rpc";
import type { RunningService } from "@headwater/service";
import { silentTelemetry } from "@headwater/telemetry";
import { until } from "@headwater/testing";
import type { ScalerConfig } from "./config.ts";
import { readScalerConfig } from "./config.ts";
import type { Resolve } from "./name-resolution.ts";
import { startScaler } from "./server.ts";
import { PodDoubles, testPace } from "./testing/pods.ts";
import { answering, caller, worker } from "./testing/reports.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const scalerMetadata = { scalerAddress: "scaler.test:7005", workload: "embedding-worker", target: "5" };
const reference = { name: "embedding-worker", namespace: "rag", scalerMetadata };
const metricName = "headwater-embedding-work-seconds";

interface Scaler {
  readonly service: RunningService;
  readonly call: RpcClient<ExternalScalerDefinition>["call"];
  work(): Promise<number | undefined>;
  /** Waits until the work is that. */
  tells(work: number, what: string): Promise<void>;
  isActive(): Promise<boolean>;
  metric(name: string, labels: Record<string, string>): Promise<number | undefined>;
}

async function scaler(
  addresses: Partial<Record<string, PodDoubles>>,
  settings: Partial<ScalerConfig> = {},
): Promise<Scaler> {
  const telemetry = silentTelemetry("scaler");
  const entries = Object.entries(addresses).flatMap(([name, pods]) => (pods ? [{ name, pods }] : []));
  const config = readScalerConfig({
    HEADWATER_SCALER_LISTEN: "127.0.0.1:0",
    ...Object.fromEntries(
      entries.map(({ name, pods }, at) => [name, pods.address.replace("pods", `pods-${at}`)]),
    ),
  });
  const resolve: Resolve = async (name) => {
    const at = Number(/pods-(\d+)/.exec(name)?.[1]);
    return (await entries[at]?.pods.resolve()) ?? [];
  };
  const service = await startScaler({ ...config, holdMs: 0, ...settings }, telemetry, {
    ...{ resolve, pace: testPace },
  });
  const client = createRpcClient(ExternalScalerDefinition, service.address);
  closing.push(() => service.close(1000));
  closing.push(async () => client.close());
  const work = async () => {
    const { metricValues } = await client.call.getMetrics({ scaledObjectRef: reference, metricName });
    return metricValues[0]?.metricValueFloat;
  };
  return {
    service,
    call: client.call,
    work,
    tells: (wanted, what) =>
      until(what, () =>
        work().then(
          (now) => now === wanted,
          () => false,
        ),
      ),
    isActive: async () => (await client.call.isActive(reference)).result,
    async metric(name, labels) {
      const found = await telemetry.metrics.getSingleMetric(name)?.get();
      return found?.values.find(({ labels: of }) =>
        Object.entries(labels).every(([key, is]) => of[key] === is),
      )?.value;
    },
  };
}

async function pods(...reports: readonly WatchLoadResponse[]): Promise<PodDoubles> {
  const doubles = new PodDoubles();
  closing.push(() => doubles.close());
  for (const [at, report] of reports.entries()) await doubles.start(`127.0.0.${at + 1}`, report);
  return doubles;
}

const waiting = (tokens: number) => worker({ queued: { passages: tokens } });

test("all pods of a name are followed, as they come, change and go", async () => {
  const workers = await pods(waiting(5000), waiting(3000));
  const { tells, work, isActive, metric } = await scaler({ HEADWATER_EMBEDDING_ADDRESS: workers });
  await tells(8, "both are heard");
  assert.equal(await isActive(), true);
  workers.report("127.0.0.2", waiting(1000));
  await tells(6, "a change is heard");
  await workers.start("127.0.0.3", waiting(2500));
  await tells(8.5, "a new pod is found");
  assert.equal(await metric("headwater_scaler_pods", { state: "reporting" }), 3);
  assert.equal(await metric("headwater_scaler_work", {}), 8.5);
  assert.equal(await metric("headwater_scaler_replicas", {}), 2);
  // A pod that drains has handed its work back, though its name is listed for a while.
  await workers.drain("127.0.0.1");
  await tells(3.5, "one has drained");
  workers.list("127.0.0.2", "127.0.0.3");
  assert.equal(await work(), 3.5);
});

test("a pod that is lost counts as it last was, and full at least, as long as it is listed", async () => {
  const workers = await pods(waiting(8000), worker({ idleMs: 60_000 }));
  const { tells, work, isActive, metric } = await scaler({ HEADWATER_EMBEDDING_ADDRESS: workers });
  await tells(8, "both are heard");
  workers.break("127.0.0.1");
  workers.break("127.0.0.2");
  // As if nothing had happened at first; then the idle one counts as full.
  await until("both are lost", async () => (await metric("headwater_scaler_pods", { state: "lost" })) === 2);
  assert.equal(await work(), 13);
  assert.equal(await isActive(), true);
  workers.break("127.0.0.2", false);
  await tells(8, "one is back");
  workers.list("127.0.0.2");
  await tells(0, "the other is forgotten");
  assert.equal(await isActive(), false);
});

test("a pod that is no longer listed, but reports, counts", async () => {
  const workers = await pods(waiting(4000));
  const { tells } = await scaler({ HEADWATER_EMBEDDING_ADDRESS: workers });
  await tells(4, "it is heard");
  workers.list();
  workers.report("127.0.0.1", waiting(9000));
  await tells(9, "it is still heard");
});

test("names that cannot be resolved change nothing", async () => {
  const workers = await pods(waiting(4000));
  const { tells, work, metric, service } = await scaler({ HEADWATER_EMBEDDING_ADDRESS: workers });
  await tells(4, "it is heard");
  workers.failToResolve(new Error("EAI_AGAIN"));
  await until("the name server is away", async () => {
    return ((await metric("headwater_scaler_resolution_failures_total", {})) ?? 0) > 3;
  });
  assert.equal(await work(), 4);
  await until("it is ready", () => service.notReady === undefined);
  workers.failToResolve(undefined);
  await workers.start("127.0.0.2", waiting(1000));
  await tells(5, "it is found");
});

test("a scaler that knows nothing yet says so, and is not ready", async () => {
  const workers = await pods(waiting(4000));
  workers.failToResolve(new Error("EAI_AGAIN"));
  const { tells, work, isActive, service } = await scaler({ HEADWATER_EMBEDDING_ADDRESS: workers });
  const starting = { code: 14, reason: "HW_SCALER_STARTING" };
  assert.equal(service.notReady?.reason, "HW_SCALER_STARTING");
  await assert.rejects(work(), starting);
  await assert.rejects(isActive(), starting);
  workers.failToResolve(undefined);
  await tells(4, "it knows");
  await until("it is ready", () => service.notReady === undefined);
});

test("a pod that never reports is waited for, then counts as full", async () => {
  const workers = await pods(waiting(4000));
  workers.break("127.0.0.1");
  const { tells, work, isActive } = await scaler({ HEADWATER_EMBEDDING_ADDRESS: workers });
  await assert.rejects(work(), { reason: "HW_SCALER_STARTING" });
  await tells(5, "time is up");
  assert.equal(await isActive(), true);
});

test("scalers give the same answers, also one that has just started", async () => {
  const [workers, ingests] = [
    await pods(waiting(4000), waiting(2000)),
    await pods(caller({ passages: 9000 })),
  ];
  const addresses = { HEADWATER_EMBEDDING_ADDRESS: workers, HEADWATER_INGEST_ADDRESS: ingests };
  const first = await scaler(addresses);
  await first.tells(9, "the first knows");
  const second = await scaler(addresses);
  await second.tells(9, "the second knows");
  assert.equal(await first.work(), await second.work());
});

test("who waits for a worker that is not there makes it wanted, at once", async () => {
  const [workers, searches] = [await pods(worker()), await pods(caller({}))];
  await workers.drain("127.0.0.1");
  workers.list();
  const { tells, call, isActive } = await scaler({
    HEADWATER_EMBEDDING_ADDRESS: workers,
    HEADWATER_SEARCH_ADDRESS: searches,
  });
  await tells(0, "it knows");
  assert.equal(await isActive(), false);
  const leave = new AbortController();
  const told: boolean[] = [];
  const listening = (async () => {
    for await (const { result } of call.streamIsActive(reference, { signal: leave.signal }))
      told.push(result);
  })();
  await until("it is told that there is no work", () => told.length === 1);
  searches.report("127.0.0.1", caller({ urgent: 12 }));
  await until("it is told that there is", () => told.length === 2);
  searches.report("127.0.0.1", caller({}));
  await until("it is told that there is none any more", () => told.length === 3);
  assert.deepEqual(told, [false, true, false]);
  leave.abort();
  await assert.rejects(listening);
});

test("a workload stays active for a while after its last work", async () => {
  const workers = await pods(worker({ idleMs: 20_000 }));
  const addresses = { HEADWATER_EMBEDDING_ADDRESS: workers };
  const patient = await scaler(addresses, { holdMs: 30_000 });
  const hasty = await scaler(addresses, { holdMs: 10_000 });
  await patient.tells(0, "it knows");
  await hasty.tells(0, "it knows");
  assert.deepEqual([await patient.isActive(), await hasty.isActive()], [true, false]);
});

test("search is asked for by streams and slowness; what is not followed is refused", async () => {
  const slow = answering({ meanInFlight: 6, latencySeconds: 0.6, latencySamples: 50 });
  const { call } = await scaler({ HEADWATER_SEARCH_ADDRESS: await pods(slow) });
  const of = (metadata: Record<string, string>) => ({ ...reference, scalerMetadata: metadata });
  const search = of({ workload: "search", target: "8", latencySeconds: "0.4" });
  const ask = () => call.getMetrics({ scaledObjectRef: search, metricName: "headwater-search-streams" });
  await until("it knows", () =>
    ask().then(
      () => true,
      () => false,
    ),
  );
  assert.equal((await ask()).metricValues[0]?.metricValueFloat?.toFixed(3), "9.000");
  await assert.rejects(call.getMetricSpec(of({ workload: "gateway", target: "8" })), {
    reason: "HW_TRIGGER_INVALID",
    message: "The scaler does not follow gateway.",
  });
  await assert.rejects(call.getMetrics({ scaledObjectRef: search, metricName: "other" }), {
    reason: "HW_METRIC_UNKNOWN",
  });
});

test("a stream to KEDA ends in order when the scaler stops", async () => {
  const workers = await pods(waiting(4000));
  const { tells, call, service } = await scaler({ HEADWATER_EMBEDDING_ADDRESS: workers });
  await tells(4, "it knows");
  let told = 0;
  let stopping: Promise<void> | undefined;
  for await (const { result } of call.streamIsActive(reference)) {
    assert.equal(result, true);
    told += 1;
    stopping ??= service.close(5000);
  }
  await stopping;
  assert.equal(told, 1);
});
