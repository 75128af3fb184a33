import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadwaterError, status } from "@headwater/errors";
import { createQueryMetrics, createRegistry } from "@headwater/telemetry";
import type { RunningService } from "./index.ts";
import { startAdminServer } from "./index.ts";

function service(name: string, notReady?: HeadwaterError): RunningService {
  const metrics = createRegistry(name);
  createQueryMetrics(metrics, [name]);
  return { name, address: "127.0.0.1:1", metrics, notReady, close: async () => {} };
}

test("metrics of all services are one valid page: each name once, samples told apart by service", async () => {
  const admin = await startAdminServer("127.0.0.1:0", [service("search"), service("generation")]);
  try {
    const page = await (await fetch(`http://${admin.address}/metrics`)).text();
    assert.equal(page.match(/^# TYPE rag_queries_total counter$/gm)?.length, 1);
    assert.match(page, /^rag_queries_total\{kind="search",service="search"\} 0$/m);
    assert.match(page, /^rag_queries_total\{kind="generation",service="generation"\} 0$/m);
  } finally {
    await admin.close();
  }
});

test("readiness names the culprit, liveness does not depend on it", async () => {
  const down = new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_MODEL_LOADING",
    message: "Loading.",
  });
  const admin = await startAdminServer("127.0.0.1:0", [service("search"), service("embedding-worker", down)]);
  try {
    const ready = await fetch(`http://${admin.address}/health/ready`);
    assert.equal(ready.status, 503);
    assert.deepEqual(await ready.json(), {
      status: "not ready",
      waiting: [{ service: "embedding-worker", reason: "HW_MODEL_LOADING", message: "Loading." }],
    });
    assert.equal((await fetch(`http://${admin.address}/health/live`)).status, 200);
    assert.equal((await fetch(`http://${admin.address}/nothing`)).status, 404);
  } finally {
    await admin.close();
  }
});
