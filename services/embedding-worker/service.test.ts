import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import { temporaryFolder, until } from "@headwater/testing";
import type { TestService } from "./testing/service.ts";
import { cosine, embedAll, startTestService, vectorOf } from "./testing/service.ts";
import {
  tinyDimensions,
  tinyMaxTokens,
  tinyWeight,
  writeTinyAnswerHead,
  writeTinyCrossEncoder,
  writeTinyEncoder,
} from "./testing/tiny-models.ts";

// Over real gRPC, on models that answer at once.
const folder = await temporaryFolder();
const modelDir = join(folder, "encoder");
const rerankerDir = join(folder, "cross-encoder");
await writeTinyEncoder(modelDir, {
  files: { "config_sentence_transformers.json": { prompts: { query: "mill ", passage: "" } } },
});
await writeTinyCrossEncoder(rerankerDir);
const worker = await startTiny("main");

function startTiny(data: string, settings: Record<string, string> = {}): Promise<TestService> {
  return startTestService({
    HEADWATER_DATA_DIR: join(folder, data),
    HEADWATER_EMBEDDING_MODEL_DIR: modelDir,
    ...settings,
  });
}

async function failure(work: Promise<unknown>): Promise<HeadwaterError> {
  try {
    await work;
  } catch (thrown) {
    assert(thrown instanceof HeadwaterError, String(thrown));
    return thrown;
  }
  return assert.fail("no error was thrown");
}

test("metrics are there before the first request", async () => {
  const fresh = await startTiny("fresh");
  const page = await fresh.telemetry.metrics.metrics();
  for (const line of [
    /^headwater_embedding_queue_tokens\{lane="passage".*\} 0$/m,
    /^headwater_embedding_in_flight_tokens\{.*\} 0$/m,
    /^headwater_embedding_dropped_total\{why="refused".*\} 0$/m,
    /^rag_cache_hits_total\{cache="vectors_memory".*\} 0$/m,
    /^rag_queries_total\{kind="rerank".*\} 0$/m,
    /^headwater_embedding_batch_fill_ratio_count\{.*\} 0$/m,
  ])
    assert.match(page, line);
  await fresh.close();
});

test("a stream is answered in order, vector by vector, with what was cut told", async () => {
  const requests = Array.from({ length: 20 }, (_, sequence) => ({
    sequence,
    texts: sequence % 2 === 0 ? ["river", "sea fish ".repeat(40)] : ["boat"],
    skipCache: true,
  }));
  const responses = await embedAll(worker, requests);
  assert.deepEqual(
    responses.map(({ sequence, embeddings }) => [sequence, embeddings.length]),
    requests.map(({ sequence, texts }) => [sequence, texts.length]),
  );
  const [short, long] = responses[0]?.embeddings ?? [];
  assert.deepEqual([short?.tokens, short?.truncated, short?.cached], [3, false, false]);
  assert.deepEqual([long?.tokens, long?.truncated], [tinyMaxTokens, true]);
  assert.equal(short?.vector.byteLength, tinyDimensions * 4);
});

test("a query gets the model's query prefix, a passage the passage's", async () => {
  const { embedding } = await worker.client.call.embedQuery({ text: "river" });
  const [response] = await embedAll(worker, [{ texts: ["mill river", "river"] }]);
  const [withPrefix, without] = (response?.embeddings ?? []).map(vectorOf);
  const query = vectorOf(embedding);
  assert(withPrefix && without);
  assert(cosine(query, withPrefix) > 0.999999);
  assert(cosine(query, without) < 0.999);
});

test("a text is computed once for what the tokenizer does not tell apart, unless told otherwise", async () => {
  const cachedOf = async (text: string, skipCache = false) =>
    (await embedAll(worker, [{ texts: [text], skipCache }]))[0]?.embeddings[0];
  const hits = () => worker.metric("rag_cache_hits_total", { cache: "vectors_disk" });
  const hitsBefore = (await hits()) ?? 0;
  const first = await cachedOf("stone stone fish");
  const second = await cachedOf("  Stone STONE\n fish ");
  assert.deepEqual([first?.cached, second?.cached], [false, true]);
  assert.deepEqual(second?.vector, first?.vector);
  assert.equal((await cachedOf("stone fish stone"))?.cached, false);
  assert.equal((await cachedOf("stone stone fish", true))?.cached, false);
  await cachedOf("rain rain rain", true);
  assert.equal((await cachedOf("rain rain rain"))?.cached, false);
  assert.equal(await hits(), hitsBefore + 1);
});

test("equal texts in one request are computed once", async () => {
  const before = (await worker.metric("headwater_embedding_tokens_total", { lane: "passage" })) ?? 0;
  const [response] = await embedAll(worker, [
    { texts: ["boat mill boat", "boat mill boat", "boat mill boat"] },
  ]);
  assert.equal(response?.embeddings.length, 3);
  assert.equal(await worker.metric("headwater_embedding_tokens_total", { lane: "passage" }), before + 5);
});

test("the cache outlives the process, and belongs to its model", async () => {
  const ask = async (settings: Record<string, string> = {}) => {
    const service = await startTiny("kept", settings);
    const { embedding } = await service.client.call.embedQuery({ text: "fish boat" });
    await service.close();
    return embedding?.cached;
  };
  assert.equal(await ask(), false);
  assert.equal(await ask(), true);
  const other = await writeTinyEncoder(join(folder, "other"), {
    pooling: { pooling_mode_max_tokens: true, word_embedding_dimension: tinyDimensions },
    files: { "config_sentence_transformers.json": { prompts: { query: "mill " } } },
  });
  assert.equal(await ask({ HEADWATER_EMBEDDING_MODEL_DIR: other }), false);
  assert.equal(await ask({ HEADWATER_EMBEDDING_CACHE_DISK_MIB: "0" }), false);
});

test("bad requests are told what is wrong with them", async () => {
  const cases: [Promise<unknown>, string, RegExp][] = [
    [
      embedAll(worker, [{ sequence: 3, texts: ["river", " \n\0"] }]),
      "HW_TEXT_EMPTY",
      /Text 1 of request 3 is empty/,
    ],
    [embedAll(worker, [{ texts: [] }]), "HW_TEXTS_NONE", /no texts/],
    [
      embedAll(worker, [{ texts: Array.from({ length: 513 }, () => "x") }]),
      "HW_TEXTS_TOO_MANY",
      /513 texts, 512/,
    ],
    [worker.client.call.embedQuery({ text: "  " }), "HW_TEXT_EMPTY", /The query is empty/],
    [worker.client.call.rerank({ query: "", passages: ["a"] }), "HW_TEXT_EMPTY", /The query is empty/],
    [worker.client.call.rerank({ query: "q" }), "HW_TEXTS_NONE", /no passages/],
    [
      worker.client.call.rerank({ query: "q", passages: Array.from({ length: 257 }, () => "x") }),
      "HW_TEXTS_TOO_MANY",
      /257 passages, 256 are allowed/,
    ],
    [
      worker.client.call.rerank({ query: "q", passages: ["a", "b"], answerOdds: true, sources: [1] }),
      "HW_SOURCES_COUNT",
      /1 sources for 2 passages/,
    ],
  ];
  for (const [work, reason, message] of cases) {
    const error = await failure(work);
    assert.deepEqual([error.code, error.reason], [3, reason]);
    assert.match(error.message, message);
  }
});

test("answers before a bad request still arrive", async () => {
  const received: number[] = [];
  async function* send() {
    yield { sequence: 1, texts: ["river"] };
    yield { sequence: 2, texts: [] };
  }
  await assert.rejects(
    async () => {
      for await (const { sequence } of worker.client.call.embed(send())) received.push(sequence);
    },
    { reason: "HW_TEXTS_NONE" },
  );
  assert.deepEqual(received, [1]);
});

test("odd texts are embedded like any other", async () => {
  const texts = [
    "\ud800river",
    "river\0sea",
    "\u{1F600}".repeat(3000),
    "x".repeat(2_000_000),
    "\u202e\ufeff river",
  ];
  const [response] = await embedAll(worker, [{ texts }]);
  assert.equal(response?.embeddings.length, 5);
  assert.equal(response?.embeddings[3]?.truncated, true);
});

test("512 texts go in one request, and vectors come back for all", async () => {
  const texts = Array.from({ length: 512 }, (_, index) => `river ${"sea ".repeat(index % 12)}fish`);
  const [response] = await embedAll(worker, [{ texts, skipCache: true }]);
  assert.equal(response?.embeddings.length, 512);
  assert((response?.timings?.inferenceMs ?? 0) > 0);
});

test("a sender who does not read the answers is not read either", async () => {
  let sent = 0;
  async function* send() {
    for (; sent < 5000; sent += 1)
      yield { sequence: sent, texts: Array.from({ length: 64 }, () => "river sea fish boat") };
  }
  const slow = await startTiny("slow", { HEADWATER_EMBEDDING_STREAM_TOKENS: "512" });
  const leave = new AbortController();
  const answers = slow.client.call.embed(send(), { signal: leave.signal })[Symbol.asyncIterator]();
  await answers.next();
  // Until nothing moves any more: buffers of gRPC and HTTP/2 are full on both sides.
  for (let before = -1; before < sent; ) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  assert(sent < 2500, `${sent} requests were taken from a sender who does not read`);
  leave.abort();
  await assert.rejects(async () => {
    for (;;) if ((await answers.next()).done) return;
  });
  await slow.close();
});

test("a caller who leaves stops the work that waits", async () => {
  const texts = Array.from({ length: 512 }, (_, index) => `river ${index}`);
  const requests = Array.from({ length: 200 }, () => ({ texts, skipCache: true }));
  const metric = async (name: string, labels: Record<string, string>) =>
    (await worker.metric(name, labels)) ?? 0;
  const dropped = () => metric("headwater_embedding_dropped_total", { why: "left" });
  // The queue runs empty between two requests: who leaves just then leaves nothing that waits.
  for (let tries = 0; tries < 50 && (await dropped()) === 0; tries += 1) {
    const leave = new AbortController();
    const gone = failureOf(embedAll(worker, requests, { signal: leave.signal }));
    while ((await metric("headwater_embedding_queue_tokens", { lane: "passage" })) < 100)
      await new Promise((resolve) => setImmediate(resolve));
    leave.abort();
    assert.equal((await gone)?.name, "AbortError");
    await until("the queue is empty", async () => (await queued()) === 0);
  }
  assert((await dropped()) > 0);
});

async function queued(): Promise<number> {
  return Number((await worker.client.call.describe({})).queuedTokens);
}

async function failureOf(work: Promise<unknown>): Promise<Error | undefined> {
  return work.then(
    () => undefined,
    (thrown: Error) => thrown,
  );
}

test("too many queries at once are refused with a retry hint, and a stream is not", async () => {
  const busy = await startTiny("busy", { HEADWATER_EMBEDDING_QUERY_QUEUE_TOKENS: "64" });
  const queries = Array.from({ length: 400 }, (_, index) =>
    failureOf(busy.client.call.embedQuery({ text: `river ${index} sea fish boat`, skipCache: true })),
  );
  const stream = embedAll(busy, [{ texts: ["river sea"], skipCache: true }]);
  const refused = (await Promise.all(queries)).filter((error) => error !== undefined);
  assert.equal((await stream).length, 1);
  assert(refused.length > 0 && refused.length < 400, `${refused.length} of 400 were refused`);
  for (const error of refused) {
    assert(error instanceof HeadwaterError);
    assert.deepEqual([error.code, error.reason], [8, "HW_OVERLOADED"]);
    assert((error.retryAfterMs ?? 0) >= 100);
  }
  assert.equal(await busy.metric("headwater_embedding_dropped_total", { why: "refused" }), refused.length);
  await busy.client.call.embedQuery({ text: "river" });
  await busy.close();
});

test("a cross-encoder takes over the rerank where its folder is given", async () => {
  const crossed = await startTiny("crossed", { HEADWATER_EMBEDDING_RERANKER_DIR: rerankerDir });
  assert.equal((await crossed.client.call.describe({})).reranker, "cross-encoder");
  const { scores, complete, reranker } = await crossed.client.call.rerank({
    query: "river",
    passages: ["rain mill", "stone", "river river"],
  });
  assert.deepEqual([reranker, complete], ["cross-encoder", true]);
  assert.deepEqual(
    scores.map(({ score }) => score),
    [tinyWeight(9) + tinyWeight(8), tinyWeight(6), 2 * tinyWeight(3)],
  );
  await crossed.close();
});

test("a rerank tells the scores of the query's tokens where they are asked for", async () => {
  const request = { query: "river \u00e9 sea", passages: ["sea fish", "river"] };
  const plain = await worker.client.call.rerank(request);
  assert.deepEqual([plain.queryTokens, plain.scores[0]?.tokenScores], [[], []]);
  const { queryTokens, scores } = await worker.client.call.rerank({ ...request, tokenScores: true });
  assert.deepEqual(
    queryTokens.map(({ start, end }) => request.query.slice(start, end)),
    ["", "river", "\u00e9", "sea", ""],
  );
  const [first, second] = scores.map(({ tokenScores }) => tokenScores.map((score) => score > 0.99));
  assert.deepEqual([first?.[3], second?.[1]], [true, true]);
  assert.deepEqual(
    scores.map(({ tokenScores }) => tokenScores.length),
    [5, 5],
  );
  assert.deepEqual(
    scores.map(({ score }) => score),
    plain.scores.map(({ score }) => score),
  );
});

test("a rerank tells what answers where it is asked for, and the encoder has an answer head", async () => {
  const headed = join(folder, "headed");
  await writeTinyEncoder(headed);
  await writeTinyAnswerHead(join(headed, "answer_head.onnx"));
  const answering = await startTiny("answering", { HEADWATER_EMBEDDING_MODEL_DIR: headed });
  const request = { query: "river", passages: ["sea fish", "boat", "mill"], answerOdds: true };
  const oddsOf = async (service: TestService, more: { answerOdds?: boolean; sources?: number[] } = {}) =>
    (await service.client.call.rerank({ ...request, ...more })).scores.map(({ answerOdds }) => answerOdds);
  const alone = (await oddsOf(answering)).map((odds) => odds ?? 0);
  const together = (await oddsOf(answering, { sources: [4, 4, 9] })).map((odds) => odds ?? 0);
  const [first = 0, second = 0, third = 0] = together.map((odds, index) => odds - (alone[index] ?? 0));
  assert(first > 0 && second > 0 && third === 0 && alone.every((odds) => odds > 0), `${alone}; ${together}`);
  assert.deepEqual(await oddsOf(answering, { answerOdds: false }), [undefined, undefined, undefined]);
  assert.deepEqual(await oddsOf(worker), [undefined, undefined, undefined]);
  await answering.close();
});

test("indexed passages leave their token vectors for the first rerank", async () => {
  const rerankTokens = async (service: TestService) => {
    await embedAll(service, [{ texts: ["fish boat mill"] }]);
    await service.client.call.rerank({ query: "river", passages: ["fish boat mill"] });
    return service.metric("headwater_embedding_tokens_total", { lane: "rerank" });
  };
  const keeping = await startTiny("keeping");
  assert.equal(await rerankTokens(keeping), 0);
  await keeping.close();
  const frugal = await startTiny("frugal", { HEADWATER_EMBEDDING_TOKEN_CACHE_INGEST: "false" });
  assert.equal(await rerankTokens(frugal), 5);
  await frugal.close();
});

test("a folder without a usable model stops the start", async () => {
  const missing = { HEADWATER_EMBEDDING_MODEL_DIR: join(folder, "nowhere") };
  assert.equal((await failure(startTiny("x", missing))).reason, "HW_MODEL_NOT_FOUND");
  const noReranker = { HEADWATER_EMBEDDING_RERANKER_DIR: join(folder, "nowhere") };
  assert.equal((await failure(startTiny("x", noReranker))).reason, "HW_MODEL_NOT_FOUND");
  // An encoder has no logits.
  const notOne = { HEADWATER_EMBEDDING_RERANKER_DIR: modelDir };
  assert.equal((await failure(startTiny("x", notOne))).reason, "HW_MODEL_INVALID");
});
