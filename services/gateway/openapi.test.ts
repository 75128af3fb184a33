import assert from "node:assert/strict";
import { test } from "node:test";
import { silentTelemetry } from "@headwater/telemetry";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { createAdmission } from "./admission.ts";
import { readGatewayConfig } from "./config.ts";
import { createDrain } from "./drain.ts";
import { createQueryObserver } from "./query-observer.ts";
import { createApp } from "./server.ts";
import { eventsOf, startFixture } from "./testing/fixture.ts";
import { connectUpstream } from "./upstream.ts";

type Json = Record<string, unknown>;
interface Operation {
  parameters: { name: string; in: string; required: boolean; schema: Json }[];
  requestBody?: { content: Record<string, { schema: Json }> };
  responses: Record<string, { content: Record<string, { schema: Json }> }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json> };
}

const fixture = await startFixture();
const document = (await (await fetch(fixture.url("/openapi.json"))).json()) as Document;
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addFormat("base64", true);
ajv.addSchema({ ...document, $id: "openapi.json" }, "openapi.json");

function validator(schema: Json) {
  const text = JSON.stringify(schema).replaceAll('"#/components', '"openapi.json#/components');
  return ajv.compile(JSON.parse(text) as Json);
}

function operation(method: string, path: string): Operation {
  const found = document.paths[path]?.[method];
  assert(found, `${method} ${path} is not in the document`);
  return found;
}

/** Fails where the value is not what the document says about this response. */
function assertTrue(method: string, path: string, status: string, mediaType: string, value: unknown): void {
  const schema = operation(method, path).responses[status]?.content[mediaType]?.schema;
  assert(schema, `${method} ${path} ${status} ${mediaType} is not in the document`);
  const validate = validator(schema);
  assert(validate(value), `${method} ${path}: ${ajv.errorsText(validate.errors)}`);
}

test("every route is in the document, and every path of the document is a route", async () => {
  const telemetry = silentTelemetry("gateway");
  const config = readGatewayConfig({});
  const upstream = connectUpstream(config, telemetry);
  const { app, routes } = await createApp({
    config,
    telemetry,
    upstream,
    client: upstream.client,
    observe: createQueryObserver(telemetry.metrics),
    admission: createAdmission(1, telemetry.metrics),
    drain: createDrain(),
  });
  await app.ready();
  const served = routes
    .filter(({ url }) => url !== "/*" && !/^\/(headwater|grpc)\./.test(url))
    .flatMap(({ method, url }) => [method].flat().map((name) => `${name} ${url.replace(/:(\w+)/g, "{$1}")}`));
  const documented = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((name) => `${name.toUpperCase()} ${path}`),
  );
  assert.deepEqual([...documented].sort(), [...served].sort());
  await app.close();
  upstream.close();
});

test("every reference leads somewhere, and every schema compiles", () => {
  const text = JSON.stringify(document);
  for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
    assert(name !== undefined && document.components.schemas[name], `${name} is missing`);
  for (const schema of Object.values(document.components.schemas)) validator(schema);
  assert(!text.includes("$defs"));
});

test("real responses are what the document says", async () => {
  const made = async (path: string, body: unknown) =>
    ((await (await fixture.post(path, body)).json()) as { id: string }).id;
  const conversation = await made("/api/v1/conversations", { title: "Tides" });
  await fixture.post("/api/v1/chat", { message: "when?", conversation_id: conversation });
  const agent = await made("/api/v1/agents", {
    name: "a",
    tools: [{ name: "search" }],
    limits: { max_steps: 2 },
  });
  await fixture.post("/api/v1/prompts/p/versions", { text: "Hello {{name}}", note: "n" });
  await fixture.post("/api/v1/feedback", { question: "when?", rating: "up" });
  await fixture.post("/api/v1/memories", { statement: "Ada likes tides." });
  const job = await made("/api/v1/jobs", { kind: "evaluate", input: { set: [1] } });
  await fixture.send("PUT", "/api/v1/jobs/schedules/nightly", { cron: "0 3 * * *", kind: "reindex" });
  await fixture.post("/v1/documents", { id: "true/1", text: "x", observed_time: "2026-01-01T00:00:00Z" });
  const gets = {
    "/v1/documents": "/v1/documents",
    "/v1/documents/{id}": "/v1/documents/true%2F1",
    "/v1/documents/{id}/text": "/v1/documents/true%2F1/text",
    "/v1/models": "/v1/models",
    "/v1/pipeline": "/v1/pipeline",
    "/v1/dead-letters": "/v1/dead-letters",
    "/v1/dead-letters/{id}": "/v1/dead-letters/0:5",
    "/v1/reindex": "/v1/reindex",
    "/query": "/query?q=when",
    "/api/v1/chat/turns/{id}": "/api/v1/chat/turns/turn-1",
    "/api/v1/chat/jobs/{id}": `/api/v1/chat/jobs/${job}`,
    "/api/v1/conversations": "/api/v1/conversations",
    "/api/v1/conversations/{id}": `/api/v1/conversations/${conversation}`,
    "/api/v1/conversations/{id}/messages": `/api/v1/conversations/${conversation}/messages`,
    "/api/v1/conversations/{id}/export": `/api/v1/conversations/${conversation}/export`,
    "/api/v1/agents": "/api/v1/agents",
    "/api/v1/agents/{id}": `/api/v1/agents/${agent}`,
    "/api/v1/tools": "/api/v1/tools",
    "/api/v1/prompts": "/api/v1/prompts",
    "/api/v1/prompts/{name}": "/api/v1/prompts/p",
    "/api/v1/prompts/{name}/versions": "/api/v1/prompts/p/versions",
    "/api/v1/prompts/{name}/diff": "/api/v1/prompts/p/diff?from=0&to=1",
    "/api/v1/feedback": "/api/v1/feedback",
    "/api/v1/memories": "/api/v1/memories",
    "/api/v1/jobs": "/api/v1/jobs",
    "/api/v1/jobs/{id}": `/api/v1/jobs/${job}`,
    "/api/v1/jobs/schedules": "/api/v1/jobs/schedules",
    "/health": "/health",
    "/health/live": "/health/live",
    "/health/ready": "/health/ready",
    "/openapi.json": "/openapi.json",
  };
  for (const [path, url] of Object.entries(gets)) {
    const response = await fetch(fixture.url(url));
    assert.equal(response.status, 200, url);
    assertTrue("get", path, "200", "application/json", await response.json());
  }
  const posts: [string, unknown, string][] = [
    ["/v1/search", { query: "tides", explain: true, highlight: true }, "200"],
    ["/v1/answer", { question: "when?" }, "200"],
    ["/query", { query: "when?" }, "200"],
    ["/v1/documents", { id: "true/2", text: "y" }, "202"],
    ["/index", { id: "true/3", content_base64: "eA==" }, "202"],
    ["/v1/dead-letters/replay", {}, "200"],
    ["/v1/uploads", { id: "true/4", size_bytes: 1 }, "201"],
    ["/v1/chat/completions", { model: "extractive", messages: [{ role: "user", content: "when?" }] }, "200"],
    ["/v1/embeddings", { model: "tiny", input: ["one", "two"], encoding_format: "base64" }, "200"],
    ["/api/v1/documents/search", { query: "tides" }, "200"],
    ["/api/v1/documents/index", { id: "true/5", text: "z" }, "202"],
    ["/api/v1/chat", { message: "when?", stateless: true, history: [{ role: "user", text: "x" }] }, "200"],
    ["/api/v1/chat/async", { message: "when?" }, "202"],
    ["/api/v1/conversations", { title: "Sea" }, "201"],
    ["/api/v1/agents", { name: "b", temperature: 1 }, "201"],
    ["/api/v1/prompts/render", { prompt: "p", variables: { name: "Ada" } }, "200"],
    ["/api/v1/feedback", { question: "why?", prompt: { name: "p", version: 1 } }, "201"],
    ["/api/v1/memories", { statement: "Bob does not." }, "200"],
    ["/api/v1/memories/search", { query: "Bob", limit: 3 }, "200"],
    ["/api/v1/jobs", { kind: "index", input: { deep: { a: null } }, priority: 3 }, "202"],
  ];
  for (const [path, body, status] of posts) {
    const response = await fixture.post(path, body);
    assert.equal(String(response.status), status, path);
    assertTrue("post", path, status, "application/json", await response.json());
    const schema = operation("post", path).requestBody?.content["application/json"]?.schema;
    assert(schema && validator(schema)(body), `${path}: the request is not what the document says`);
  }
  const refused = await fixture.post("/v1/search", {});
  assertTrue("post", "/v1/search", "default", "application/json", await refused.json());
  const refusedByOpenAi = await fixture.post("/v1/embeddings", { model: "other", input: "one" });
  assertTrue("post", "/v1/embeddings", "default", "application/json", await refusedByOpenAi.json());
  const deleted = await fetch(fixture.url("/v1/documents/true%2F1"), { method: "DELETE" });
  assertTrue("delete", "/v1/documents/{id}", "200", "application/json", await deleted.json());
  const lines = await fixture.post("/v1/documents", [{ id: "a", text: "x" }, {}]);
  for (const line of (await lines.text()).trim().split("\n"))
    assertTrue("post", "/v1/documents", "200", "application/x-ndjson", JSON.parse(line));
});

test("events are the schemas that bear their name", async () => {
  const schemas: Record<string, string> = {
    hits: "HitsEvent",
    summary: "SearchSummary",
    passages: "PassagesEvent",
    text: "TextEvent",
    citation: "Citation",
    end: "EndEvent",
    error: "Error",
  };
  const streams: [string, unknown][] = [
    ["/v1/search", { query: "tides", explain: true }],
    ["/v1/search", { query: "break" }],
    ["/v1/answer", { question: "when?" }],
    ["/api/v1/chat", { message: "when?" }],
  ];
  for (const [path, body] of streams) {
    const response = await fixture.post(path, body, { accept: "text/event-stream" });
    for await (const { event, data } of eventsOf(response)) {
      const name = path === "/api/v1/chat" ? "ChatEvent" : schemas[event];
      const validate = validator({ $ref: `#/components/schemas/${name}` });
      assert(validate(data), `${event}: ${ajv.errorsText(validate.errors)}`);
    }
  }
});

test("what the document forbids is refused, what it allows is not", async () => {
  const schema = operation("post", "/v1/search").requestBody?.content["application/json"]?.schema;
  assert(schema);
  const allows = validator(schema);
  const bodies = [
    { query: "tides" },
    { query: "" },
    { query: "tides", page_size: 0 },
    { query: "tides", page_size: 100 },
    { query: "tides", page_size: 1.5 },
    { query: "tides", fusion: { lexical_weight: 1 } },
    { query: "tides", fusion: { lexical_weight: 1.1 } },
    { query: "tides", stages: ["lexical", "nothing"] },
    { query: "tides", filter: { attributes: { a: [] } } },
    { query: "tides", filter: { observed_from: "yesterday" } },
    { query: "tides", unknown: true },
    { query: 7 },
    {},
    null,
    [],
  ];
  for (const body of bodies) {
    const { status } = await fixture.post("/v1/search", body);
    assert.equal(status === 200, allows(body), JSON.stringify(body));
  }
});
