import assert from "node:assert/strict";
import { test } from "node:test";
import type { WatchLoadResponse } from "@headwater/proto/services/headwater/v1/load";
import { LoadServiceDefinition } from "@headwater/proto/services/headwater/v1/load";
import { createRpcClient, startRpcServer } from "@headwater/rpc";
import { silentTelemetry } from "@headwater/telemetry";
import { EmbeddingDemand } from "./embedding-demand.ts";
import { loadHandlers } from "./load-service.ts";
import { StreamMeter } from "./stream-meter.ts";

/** Serves the load of a process that has streams and calls the embedding-worker. */
async function serve(pace: { lookMs: number; silenceMs: number }) {
  const streams = new StreamMeter();
  const demand = new EmbeddingDemand();
  const server = await startRpcServer({
    address: "127.0.0.1:0",
    definition: LoadServiceDefinition,
    implementation: loadHandlers({ streams, embedding: demand }, pace),
    telemetry: silentTelemetry("search"),
    checkReadiness: async () => {},
  });
  const client = createRpcClient(LoadServiceDefinition, server.address);
  const close = async () => {
    client.close();
    await server.close(1000);
  };
  return { streams, demand, server, client, close };
}

test("the load comes at once, again when it has changed, and now and then when it has not", async () => {
  const { streams, demand, client, close } = await serve({ lookMs: 5, silenceMs: 100 });
  try {
    const reports: WatchLoadResponse[] = [];
    let leave = () => {};
    for await (const report of client.call.watchLoad({})) {
      reports.push(report);
      if (reports.length === 1) {
        leave = streams.enter();
        demand.wait("passages", 12);
      }
      if (report.streams?.inFlight === 1) {
        assert.deepEqual(report.embedding, { urgent: 0, passages: 12 });
        assert.equal(report.idleMs, 0);
        leave();
        reports.length = 2;
      }
      if (reports.length > 3) break;
    }
    assert.equal(reports[0]?.streams?.inFlight, 0);
    const [before, last] = reports.slice(-2);
    assert(before && last && last.idleMs - before.idleMs >= 0);
    assert.equal(last.model, undefined);
    assert.equal(last.connections, undefined);
  } finally {
    await close();
  }
});

test("a load that stays as it is is not told at each look", async () => {
  const { client, close } = await serve({ lookMs: 1, silenceMs: 200 });
  try {
    const idle: number[] = [];
    for await (const { idleMs } of client.call.watchLoad({})) {
      idle.push(idleMs);
      if (idle.length === 3) break;
    }
    assert((idle[2] ?? 0) - (idle[0] ?? 0) >= 390, idle.join());
  } finally {
    await close();
  }
});

test("the stream ends in order when the process drains", async () => {
  const { server, client, close } = await serve({ lookMs: 5, silenceMs: 1000 });
  try {
    let reports = 0;
    let closing: Promise<void> | undefined;
    for await (const _ of client.call.watchLoad({})) {
      reports += 1;
      closing ??= server.close(5000);
    }
    assert(reports >= 1);
    await closing;
  } finally {
    await close();
  }
});
