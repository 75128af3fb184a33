import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createHeadwaterClient } from "@headwater/client";
import { HeadwaterError, status } from "@headwater/errors";
import { queryKinds } from "./query-observer.ts";
import { startFixture } from "./testing/fixture.ts";

const fixture = await startFixture();

/** Values of the series with these labels, by the page of /metrics; undefined where there is none. */
async function series(): Promise<(name: string, labels?: Record<string, string>) => number | undefined> {
  const lines = (await (await fetch(fixture.url("/metrics"))).text()).split("\n");
  return (name, labels = {}) => {
    const parts = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
    const line = lines.find(
      (text) => text.startsWith(`${name}{`) && parts.every((part) => text.includes(part)),
    );
    return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(" ")));
  };
}

test("the metrics that dashboards rely on are there, at zero, before the first query", async () => {
  const value = await series();
  for (const kind of queryKinds) {
    assert.equal(value("rag_queries_total", { kind }), 0);
    assert.equal(value("rag_active_requests", { kind }), 0);
    assert.equal(value("rag_query_duration_seconds_count", { kind }), 0);
    assert.equal(value("rag_errors_total", { kind, code: "INTERNAL" }), 0);
  }
  assert.equal(value("headwater_gateway_service_ready", { upstream: "search" }), 1);
  assert.equal(value("headwater_gateway_refused_total"), 0);
  assert((value("headwater_gateway_connections") ?? 0) >= 1, "the one that asks is open");
});

test("queries are counted by the way they came, errors by their code", async () => {
  await fixture.post("/v1/search", { query: "tides" });
  await (await fixture.post("/v1/answer", { question: "when?" }, { accept: "text/event-stream" })).text();
  await fixture.post("/v1/search", { query: "busy" });
  const client = createHeadwaterClient({ baseUrl: fixture.baseUrl, protocol: "grpc-web" });
  for await (const _ of client.search("tides"));
  const call = { name: "search", arguments: { query: "tides" } };
  const accept = "application/json, text/event-stream";
  const message = { jsonrpc: "2.0", id: 1, method: "tools/call", params: call };
  await (await fixture.post("/mcp", message, { accept })).text();
  const value = await series();
  assert.equal(value("rag_queries_total", { kind: "http" }), 2);
  assert.equal(value("rag_queries_total", { kind: "sse" }), 1);
  assert.equal(value("rag_queries_total", { kind: "grpc_web" }), 1);
  assert.equal(value("rag_queries_total", { kind: "mcp" }), 1);
  assert.equal(value("rag_errors_total", { kind: "http", code: "RESOURCE_EXHAUSTED" }), 1);
  assert.equal(value("rag_active_requests", { kind: "http" }), 0);
  assert.equal(value("headwater_gateway_requests_total", { route: "/v1/search", status: "503" }), 1);
});

test("readiness says why a service is not ready, in its own words", async () => {
  fixture.doubles.seen.notReady = new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_INDEX_FINGERPRINT_MISMATCH",
    message: "Die Größe changed.",
    action: "Run `headwater reindex`.",
  });
  try {
    let body: { services?: { service: string; reason?: string; message?: string; action?: string }[] } = {};
    for (let code = 200; code === 200; ) {
      await delay(50);
      const response = await fetch(fixture.url("/health/ready"));
      code = response.status;
      body = (await response.json()) as typeof body;
    }
    const told = body.services?.find(({ reason }) => reason !== undefined);
    assert.deepEqual(
      [told?.reason, told?.message, told?.action],
      ["HW_INDEX_FINGERPRINT_MISMATCH", "Die Größe changed.", "Run `headwater reindex`."],
    );
  } finally {
    fixture.doubles.seen.notReady = undefined;
    while (!(await fetch(fixture.url("/health/ready"))).ok) await delay(50);
  }
});

test("a service that may be away is told of, and the gateway is ready without it", async () => {
  const zero = await startFixture({ HEADWATER_GATEWAY_READY_WITHOUT: "ingest" });
  await zero.doubles.ingest.close(50);
  const toldOf = async () => {
    const response = await fetch(zero.url("/health/ready"));
    assert.equal(response.status, 200);
    const { services } = (await response.json()) as { services: { service: string; status: string }[] };
    return services.filter(({ status }) => status === "not ready").map(({ service }) => service);
  };
  while ((await toldOf()).length === 0) await delay(50);
  assert.deepEqual(await toldOf(), ["ingest"]);
  assert.equal(zero.gateway.notReady, undefined);
  await zero.doubles.search.close(50);
  while ((await fetch(zero.url("/health/ready"))).ok) await delay(50);
});

test("readiness names the service that is not ready", async () => {
  await fixture.doubles.search.close(50);
  let body = "";
  for (let status = 200; status === 200; ) {
    const response = await fetch(fixture.url("/health/ready"));
    status = response.status;
    body = await response.text();
  }
  const { services } = JSON.parse(body) as { services: { service: string; status: string }[] };
  assert.deepEqual(
    services.filter(({ status }) => status === "not ready").map(({ service }) => service),
    ["search"],
  );
  assert.match(body, /The search service does not answer/);
  const refused = await fixture.post("/v1/search", { query: "tides" });
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "1"]);
});
