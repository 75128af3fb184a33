import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { AnswerEvent, HeadwaterClient, SearchEvent } from "@headwater/client";
import { Code, createHeadwaterClient, HeadwaterClientError } from "@headwater/client";
import type { NodeTransport } from "@headwater/client/node";
import { createNodeTransport } from "@headwater/client/node";
import { until } from "@headwater/testing";
import type { ServiceDoubles } from "@headwater/testing/service-doubles";
import { startServiceDoubles } from "@headwater/testing/service-doubles";

let doubles: ServiceDoubles;
const transports: NodeTransport[] = [];
let search: HeadwaterClient;
let generation: HeadwaterClient;
let ingest: HeadwaterClient;

before(async () => {
  doubles = await startServiceDoubles();
  const clientOf = (address: string) => {
    const transport = createNodeTransport({ address });
    transports.push(transport);
    return createHeadwaterClient({ transport, tenant: "acme" });
  };
  search = clientOf(doubles.search.address);
  generation = clientOf(doubles.generation.address);
  ingest = clientOf(doubles.ingest.address);
});
after(async () => {
  for (const transport of transports) transport.close();
  await doubles.close();
});

async function failure(call: AsyncIterable<unknown> | Promise<unknown>): Promise<HeadwaterClientError> {
  try {
    if (call instanceof Promise) await call;
    else for await (const _ of call);
  } catch (thrown) {
    assert(thrown instanceof HeadwaterClientError, String(thrown));
    return thrown;
  }
  return assert.fail("no error was thrown");
}

test("a search yields typed hits by stage, then the summary", async () => {
  const events: SearchEvent[] = [];
  for await (const event of search.search("tides", { explain: true, highlight: true })) events.push(event);
  assert.deepEqual(
    events.map((event) => (event.type === "hits" ? event.stage : event.type)),
    ["lexical", "fused", "reranked", "summary"],
  );
  const [first, last] = [events[0], events.at(-1)];
  assert(first?.type === "hits" && last?.type === "summary");
  const [hit] = first.hits;
  assert.deepEqual(
    [hit?.document.id, hit?.document.version, hit?.range, hit?.page, hit?.headingPath],
    ["guide/tides.md", 1_700_000_000_000, { start: 10, end: 57 }, 2, ["Sea", "Tides"]],
  );
  assert.deepEqual(hit?.document.observedTime, new Date("2026-11-01T12:00:00Z"));
  assert.deepEqual(hit?.highlights, [{ start: 0, end: 6 }]);
  assert.equal(hit?.explanation?.rerankScore, 0.9);
  assert.deepEqual(last.degradations[0]?.reason, "HW_RETRIEVER_DOWN");
  assert.equal(last.milliseconds["total"], 12.5);
});

test("every search option reaches the service", async () => {
  const options = {
    pageSize: 7,
    pageToken: "next",
    filter: {
      attributes: { shelf: ["sea", "sky"] },
      mediaTypes: ["text/plain"],
      documentIds: ["a"],
      observedFrom: new Date(1000),
      observedBefore: new Date(2000),
    },
    stages: ["vector", "reranked"],
    fusion: { method: "rrf", lexicalWeight: 0, rrfK: 9 },
    rerank: { disabled: true, depth: 3, budgetMs: 40 },
    explain: true,
    highlight: true,
    groupByDocument: true,
  } as const;
  for await (const _ of search.search("tides", options));
  assert.deepEqual(doubles.seen.searchRequest, {
    tenant: "acme",
    query: "tides",
    pageSize: 7,
    pageToken: "next",
    filter: {
      attributes: [{ key: "shelf", values: ["sea", "sky"] }],
      mediaTypes: ["text/plain"],
      documentIds: ["a"],
      observedFrom: new Date(1000),
      observedBefore: new Date(2000),
    },
    stages: [2, 4],
    fusion: { method: 2, lexicalWeight: 0, rrfK: 9 },
    rerank: { disabled: true, depth: 3, budgetMs: 40 },
    explain: true,
    highlight: true,
    groupByDocument: true,
  });
});

test("an answer yields passages, text, citations and the end", async () => {
  const events: AnswerEvent[] = [];
  for await (const event of generation.answer("when?", { temperature: 0, maxPassages: 3 }))
    events.push(event);
  assert.deepEqual(
    events.map(({ type }) => type),
    ["passages", "text", "text", "citation", "end"],
  );
  const citation = events[3];
  assert(citation?.type === "citation");
  assert.deepEqual([citation.source, citation.claim], [1, { start: 0, end: 26 }]);
  const end = events[4];
  assert(end?.type === "end");
  assert.deepEqual([end.reason, end.usage.inputTokens], ["complete", 120]);
  assert.deepEqual(
    [doubles.seen.answerRequest?.temperature, doubles.seen.answerRequest?.maxPassages],
    [0, 3],
  );
  assert.deepEqual(await generation.models(), [
    {
      ...{ name: "extractive", provider: "extractive", isDefault: true },
      ...{ contextTokens: 0, toolCalling: "none", fallbacks: [] },
    },
  ]);
});

test("documents are pushed both ways at once, in pieces, and their receipts come in order", async () => {
  const large = new Uint8Array(700_001).fill(65);
  async function* documents() {
    yield { id: "a/one.txt", content: "one", title: "One", attributes: { k: "v" }, version: 5 };
    yield { id: "refused", content: "x" };
    yield {
      id: "large",
      content: (async function* () {
        yield large.subarray(0, 300_000);
        yield large.subarray(300_000);
      })(),
    };
    yield { id: "empty", content: "" };
  }
  const receipts = [];
  for await (const receipt of ingest.documents.push(documents())) receipts.push(receipt);
  assert.deepEqual(
    receipts.map(({ id, error }) => [id, error?.reason]),
    [
      ["a/one.txt", undefined],
      ["refused", "HW_DOCUMENT_ID_INVALID"],
      ["large", undefined],
      ["empty", undefined],
    ],
  );
  const one = await ingest.documents.get("a/one.txt");
  assert.deepEqual(
    [one.version, one.title, one.attributes, one.state, one.sizeBytes],
    [5, "One", { k: "v" }, "indexed", 3],
  );
  assert.equal((await ingest.documents.get("large")).sizeBytes, 700_001);
  assert.equal((await ingest.documents.text("a/one.txt", { range: { start: 1, end: 2 } })).text, "n");
  const pieces = [];
  for await (const { data } of ingest.documents.original("a/one.txt")) pieces.push(...data);
  assert.equal(Buffer.from(pieces).toString(), "one");
  const page = await ingest.documents.list({ idPrefix: "a/", states: ["indexed"] });
  assert.deepEqual(
    page.documents.map(({ id }) => id),
    ["a/one.txt"],
  );
  await ingest.documents.delete("a/one.txt");
  const gone = await failure(ingest.documents.get("a/one.txt"));
  assert.deepEqual([gone.code, gone.reason], [Code.NotFound, "HW_DOCUMENT_NOT_FOUND"]);
});

test("the pipeline, its dead letters and a reindex are plain values", async () => {
  const pipeline = await ingest.pipeline();
  assert.deepEqual([pipeline.lag, pipeline.deadLetters, pipeline.documents.queued], [3, 1, 0]);
  const { deadLetters } = await ingest.deadLetters.list();
  assert.equal(deadLetters[0]?.failure?.reason, "HW_DOCUMENT_ENCRYPTED");
  assert.equal(await ingest.deadLetters.replay(["0:5"]), 1);
  const progress = [];
  for await (const { done } of ingest.reindex()) progress.push(done);
  assert.deepEqual(progress, [0, 2]);
});

test("errors carry code, reason, action and retry hint", async () => {
  const bad = await failure(search.search("bad"));
  assert.deepEqual(
    [bad.code, bad.codeName, bad.reason, bad.message, bad.action, bad.transient],
    [Code.InvalidArgument, "INVALID_ARGUMENT", "HW_QUERY_EMPTY", "The query is empty.", "Send words.", false],
  );
  const busy = await failure(search.search("busy"));
  assert.deepEqual([busy.reason, busy.retryAfterMs, busy.transient], ["HW_OVERLOADED", 1250, true]);
});

test("a reader who stops, or aborts, ends the work of the server", async () => {
  const before = doubles.seen.cancelled;
  for await (const _ of search.search("endless")) break;
  await until("the service hears of it", () => doubles.seen.cancelled === before + 1);
  const leaving = new AbortController();
  const hung = failure(search.search("hang", { signal: leaving.signal }));
  setImmediate(() => leaving.abort());
  const cancelled = await hung;
  assert.deepEqual([cancelled.code, cancelled.reason], [Code.Canceled, "HW_CANCELLED"]);
});

test("a deadline is kept, and a server that is not there is named", async () => {
  const late = await failure(search.search("hang", { timeoutMs: 50 }));
  assert.deepEqual([late.code, late.reason], [Code.DeadlineExceeded, "HW_DEADLINE_EXCEEDED"]);
  const transport = createNodeTransport({ address: "127.0.0.1:1" });
  const nobody = await failure(createHeadwaterClient({ transport }).pipeline());
  assert.deepEqual([nobody.code, nobody.reason], [Code.Unavailable, "HW_SERVICE_UNAVAILABLE"]);
  transport.close();
});

test("a watch shows the present state first", async () => {
  for await (const _ of ingest.documents.push([{ id: "watched", content: "w" }]));
  for await (const document of ingest.documents.watch({ ids: ["watched"], untilSettled: true }))
    assert.deepEqual([document.id, document.state], ["watched", "indexed"]);
});

test("a service that was restarted is found again", async () => {
  const first = await startServiceDoubles();
  const transport = createNodeTransport({ address: first.search.address });
  const client = createHeadwaterClient({ transport });
  for await (const _ of client.search("tides"));
  await first.close();
  const down = await failure(client.search("tides"));
  assert.deepEqual([down.code, down.transient], [Code.Unavailable, true]);
  const second = await startServiceDoubles({ searchAddress: first.search.address });
  for await (const event of client.search("tides")) assert(event.type === "hits" || event.type === "summary");
  transport.close();
  await second.close();
});
