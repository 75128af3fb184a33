import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { test } from "node:test";
import { until } from "@headwater/testing";
import { eventsOf, failureOf, startFixture } from "../testing/fixture.ts";

const fixture = await startFixture();
const { seen } = fixture.doubles;
const events = { accept: "text/event-stream" };

test("a search as JSON is the final stage's hits and the summary", async () => {
  const response = await fixture.post("/v1/search", {
    query: "tides",
    page_size: 3,
    filter: { attributes: { shelf: ["sea"] }, observed_from: "2026-01-01T00:00:00Z" },
    fusion: { method: "min_max", lexical_weight: 0.4 },
    rerank: { depth: 20, budget_ms: 100 },
    explain: true,
    highlight: true,
  });
  const body = (await response.json()) as {
    stage: string;
    hits: { explanation: { fused_score: number }; heading_path: string[] }[];
    summary: { degradations: { reason: string }[] };
  };
  assert.equal(body.stage, "reranked");
  assert.deepEqual(body.hits[0]?.heading_path, ["Sea", "Tides"]);
  assert.equal(body.hits[0]?.explanation.fused_score, 0.75);
  assert.equal(body.summary.degradations[0]?.reason, "HW_RETRIEVER_DOWN");
  assert.deepEqual(
    [
      seen.searchRequest?.pageSize,
      seen.searchRequest?.fusion?.lexicalWeight,
      seen.searchRequest?.rerank?.budgetMs,
    ],
    [3, 0.4, 100],
  );
  assert.deepEqual(seen.searchRequest?.filter?.attributes, [{ key: "shelf", values: ["sea"] }]);
});

test("a search as events sends each stage, then the summary", async () => {
  const names = [];
  for await (const { event } of eventsOf(await fixture.post("/v1/search", { query: "tides" }, events)))
    names.push(event);
  assert.deepEqual(names, ["hits", "hits", "hits", "summary"]);
});

test("an answer as JSON is whole, as events it is written piece by piece", async () => {
  const whole = (await (await fixture.post("/v1/answer", { question: "when?" })).json()) as {
    answer: string;
    citations: { claim: { end: number } }[];
    end_reason: string;
    hits: unknown[];
  };
  assert.deepEqual(
    [whole.answer, whole.citations[0]?.claim.end, whole.end_reason, whole.hits.length],
    ["At new moon and full moon.", 26, "complete", 1],
  );
  const names = [];
  for await (const { event } of eventsOf(await fixture.post("/v1/answer", { question: "when?" }, events)))
    names.push(event);
  assert.deepEqual(names, ["passages", "text", "text", "citation", "end"]);
});

test("/query answers by GET and POST", async () => {
  const got = (await (await fetch(fixture.url("/query?q=when%3F&max_passages=4"))).json()) as {
    answer: string;
  };
  assert.equal(got.answer, "At new moon and full moon.");
  assert.equal(seen.answerRequest?.maxPassages, 4);
  const posted = (await (await fixture.post("/query", { query: "when?" })).json()) as { answer: string };
  assert.equal(posted.answer, "At new moon and full moon.");
  const models = (await (await fetch(fixture.url("/v1/models"))).json()) as { models: unknown[] };
  assert.deepEqual(models.models, [
    {
      ...{ name: "extractive", provider: "extractive", is_default: true },
      ...{ context_tokens: 0, tool_calling: "none", fallbacks: [] },
    },
  ]);
});

test("a failure before the first event has an HTTP status, a later one is an event", async () => {
  const bad = await failureOf(await fixture.post("/v1/search", { query: "bad" }, events));
  assert.deepEqual([bad.status, bad.reason, bad.action], [400, "HW_QUERY_EMPTY", "Send words."]);
  const busy = await fixture.post("/v1/answer", { question: "busy" });
  assert.equal(busy.headers.get("retry-after"), "2");
  assert.equal((await failureOf(busy)).status, 503);
  const bug = await failureOf(await fixture.post("/v1/search", { query: "bug" }));
  assert.deepEqual([bug.status, bug.reason], [500, "HW_INTERNAL"]);
  assert(!bug.message.includes("secret"));
  const received = [];
  for await (const event of eventsOf(await fixture.post("/v1/search", { query: "break" }, events)))
    received.push(event);
  assert.deepEqual(
    received.map(({ event }) => event),
    ["hits", "error"],
  );
  assert.match(JSON.stringify(received[1]?.data), /"reason":"HW_INDEX_DOWN"/);
});

test("a quiet stream shows signs of life, and a reader who leaves ends the work", async () => {
  const before = seen.cancelled;
  const { address } = await fixture.another({ HEADWATER_GATEWAY_HEARTBEAT_MS: "30" });
  const response = await fetch(`http://${address}/v1/search`, {
    method: "POST",
    headers: { ...events, "content-type": "application/json" },
    body: JSON.stringify({ query: "hang" }),
  });
  for await (const { event } of eventsOf(response)) {
    assert.equal(event, "comment");
    break;
  }
  await until("the service's hearing of it", () => seen.cancelled > before);
});

test("a caller of JSON who leaves ends the work too", async () => {
  const before = seen.cancelled;
  const leaving = new AbortController();
  const answer = fetch(fixture.url("/v1/answer"), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ question: "endless" }),
    signal: leaving.signal,
  });
  await until("the question's arrival", () => seen.answerRequest?.question === "endless");
  leaving.abort();
  await assert.rejects(answer, { name: "AbortError" });
  await until("the service's hearing of it", () => seen.cancelled > before);
});

test("a slow reader of events slows the service", async () => {
  seen.produced = 0;
  const body = JSON.stringify({ question: "flood" });
  const request = httpRequest(fixture.url("/v1/answer"), {
    method: "POST",
    headers: { "content-type": "application/json", "content-length": body.length, ...events },
  });
  request.end(body);
  const response = await new Promise<import("node:http").IncomingMessage>((resolve) =>
    request.once("response", resolve),
  );
  response.pause();
  for (let last = -1; last !== seen.produced || last === 0; ) {
    last = seen.produced;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  // 64 KiB a message: the sockets of two hops and the buffers between hold some 10 MB, and then the model waits.
  assert(seen.produced < 500, `${seen.produced} messages were made for a reader who reads nothing`);
  request.destroy();
});

test("a watch tells the present state, then each change", async () => {
  await fixture.post("/v1/documents", { id: "watched-1", text: "a" });
  const response = await fetch(fixture.url("/v1/watch?id=watched-1&id=watched-2"));
  const ids: string[] = [];
  for await (const { event, data } of eventsOf(response)) {
    if (event !== "document") continue;
    ids.push((data as { id: string }).id);
    if (ids.length === 1) await fixture.post("/v1/documents", { id: "watched-2", text: "b" });
    else break;
  }
  assert.deepEqual(ids, ["watched-1", "watched-2"]);
});

test("the pipeline, dead letters, their replay and a reindex", async () => {
  const pipeline = (await (await fetch(fixture.url("/v1/pipeline"))).json()) as {
    lag: number;
    dead_letters: number;
  };
  assert.deepEqual([pipeline.lag, pipeline.dead_letters], [3, 1]);
  const letters = (await (await fetch(fixture.url("/v1/dead-letters?page_size=5"))).json()) as {
    dead_letters: { failure: { reason: string } }[];
  };
  assert.equal(letters.dead_letters[0]?.failure.reason, "HW_DOCUMENT_ENCRYPTED");
  const replayed = await (await fixture.post("/v1/dead-letters/replay", { ids: ["0:5", "0:6"] })).json();
  assert.deepEqual(replayed, { replayed: 2 });
  const progress = [];
  for await (const { data } of eventsOf(await fetch(fixture.url("/v1/reindex"), { method: "POST" })))
    progress.push((data as { done: number }).done);
  assert.deepEqual(progress, [0, 2]);
  assert.equal((await fixture.post("/v1/reindex?action=everything", undefined)).status, 400);
  const letter = (await (await fetch(fixture.url("/v1/dead-letters/0:5"))).json()) as {
    metadata: { title: string };
    size_bytes: number;
  };
  assert.deepEqual([letter.metadata.title, letter.size_bytes], ["Locked", 3]);
});

test("a comparison of the stores tells what it found, and whether that is mended", async () => {
  const findings = [];
  for await (const { data } of eventsOf(await fixture.post("/v1/reconcile", { repair: true })))
    findings.push((data as { findings: unknown[] }).findings);
  assert.deepEqual(findings, [
    [],
    [
      {
        discrepancy: "missing passages",
        found: 1,
        mended: 1,
        examples: [{ tenant: "", id: "a" }],
      },
    ],
  ]);
});

test("mistakes are told with their names, all at once", async () => {
  const wrong = await failureOf(await fixture.post("/v1/search", { query: "", page_size: 500, pagesize: 1 }));
  assert.equal(wrong.status, 400);
  for (const name of ["query", "page_size", "pagesize"]) assert.match(wrong.message, new RegExp(name));
  const cases: [string, RequestInit, number, string][] = [
    [
      "/v1/search",
      { method: "POST", body: "{", headers: { "content-type": "application/json" } },
      400,
      "HW_JSON_INVALID",
    ],
    [
      "/v1/search",
      { method: "POST", body: "", headers: { "content-type": "application/json" } },
      400,
      "HW_JSON_INVALID",
    ],
    [
      "/v1/search",
      { method: "POST", body: "q", headers: { "content-type": "text/plain" } },
      415,
      "HW_MEDIA_TYPE_UNSUPPORTED",
    ],
    ["/v1/search", { method: "GET" }, 405, "HW_METHOD_NOT_ALLOWED"],
    ["/v1/nothing", { method: "POST" }, 404, "HW_ROUTE_UNKNOWN"],
    ["/query", {}, 400, "HW_REQUEST_INVALID"],
    ["/query?q=a&max_passages=x", {}, 400, "HW_REQUEST_INVALID"],
    ["/v1/ws", {}, 426, "HW_UPGRADE_REQUIRED"],
    ["/v1/documents/x/text?start=4294967296", {}, 400, "HW_REQUEST_INVALID"],
    [
      "/v1/search",
      {
        method: "POST",
        body: `{"query":"${"x".repeat(1_100_000)}"}`,
        headers: { "content-type": "application/json" },
      },
      413,
      "HW_BODY_TOO_LARGE",
    ],
  ];
  for (const [path, init, status, reason] of cases) {
    const failure = await failureOf(await fetch(fixture.url(path), init));
    assert.deepEqual([failure.status, failure.reason], [status, reason], path);
  }
  const method = await fetch(fixture.url("/v1/documents/x"), { method: "PATCH" });
  assert.equal(method.headers.get("allow"), "GET, DELETE");
});
