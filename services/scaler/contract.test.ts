import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Client, credentials } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { RunningService } from "@headwater/service";
import { silentTelemetry } from "@headwater/telemetry";
import { until } from "@headwater/testing";
import { readScalerConfig } from "./config.ts";
import { startScaler } from "./server.ts";
import { PodDoubles, testPace } from "./testing/pods.ts";
import { worker } from "./testing/reports.ts";

/** The contract as KEDA has it, and a client that knows nothing else of us. */
const contract = loadSync(join(import.meta.dirname, "../../proto/externalscaler/externalscaler.proto"), {
  defaults: true,
  keepCase: true,
  longs: Number,
});
const methods = contract["externalscaler.ExternalScaler"] as unknown as Record<
  string,
  { path: string; requestSerialize(value: object): Buffer; responseDeserialize(bytes: Buffer): object }
>;

const pods = new PodDoubles();
let scaler: RunningService;
let client: Client;
before(async () => {
  await pods.start("127.0.0.1", worker({ queued: { passages: 12_345 } }));
  const config = readScalerConfig({
    HEADWATER_SCALER_LISTEN: "127.0.0.1:0",
    HEADWATER_EMBEDDING_ADDRESS: pods.address,
  });
  const surroundings = { resolve: pods.resolve, pace: testPace };
  scaler = await startScaler(config, silentTelemetry("scaler"), surroundings);
  client = new Client(scaler.address, credentials.createInsecure());
  await until("the pod is heard", () =>
    call("IsActive", reference()).then(
      () => true,
      () => false,
    ),
  );
});
after(async () => {
  client.close();
  await scaler.close(1000);
  await pods.close();
});

function reference(metadata: Record<string, string> = {}) {
  const scalerMetadata = { workload: "embedding-worker", target: "2.5", ...metadata };
  return { name: "embedding-worker", namespace: "rag", scalerMetadata };
}

function methodOf(name: string) {
  const method = methods[name];
  assert(method, `the contract has no ${name}`);
  return method;
}

function call(name: string, request: object): Promise<object> {
  const { path, requestSerialize, responseDeserialize } = methodOf(name);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, response) => {
      if (response) resolve(response);
      else reject(error);
    });
  });
}

test("the calls have the paths that KEDA calls", () => {
  assert.deepEqual(
    Object.values(methods).map(({ path }) => path),
    ["IsActive", "StreamIsActive", "GetMetricSpec", "GetMetrics"].map(
      (name) => `/externalscaler.ExternalScaler/${name}`,
    ),
  );
});

test("the metric has a name and a target, to fractions", async () => {
  assert.deepEqual(await call("GetMetricSpec", reference()), {
    metricSpecs: [{ metricName: "headwater-embedding-work-seconds", targetSize: 3, targetSizeFloat: 2.5 }],
  });
});

test("the metric has a value, to fractions, and rounded up for who does not know of those", async () => {
  const metricName = "headwater-embedding-work-seconds";
  assert.deepEqual(await call("GetMetrics", { scaledObjectRef: reference(), metricName }), {
    metricValues: [{ metricName, metricValue: 13, metricValueFloat: 12.345 }],
  });
});

test("activity is asked for, and told", async () => {
  assert.deepEqual(await call("IsActive", reference()), { result: true });
  const { path, requestSerialize, responseDeserialize } = methodOf("StreamIsActive");
  const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, reference());
  for await (const response of stream) {
    assert.deepEqual(response, { result: true });
    break;
  }
});

test("metadata that cannot be used are refused in words, whatever is asked for", async () => {
  const wrong = reference({ target: "lots" });
  const calls = [
    call("IsActive", wrong),
    call("GetMetricSpec", wrong),
    call("GetMetrics", { scaledObjectRef: wrong, metricName: "" }),
    call("GetMetrics", { metricName: "" }),
  ];
  for (const refused of calls)
    await assert.rejects(refused, { code: 3, details: /cannot be used: (target|workload) is/ });
});
