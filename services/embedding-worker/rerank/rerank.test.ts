import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createMemoryCache } from "@headwater/cache";
import { silentTelemetry } from "@headwater/telemetry";
import { temporaryFolder } from "@headwater/testing";
import type { Engine } from "../inference/thread-pool.ts";
import { ThreadPool } from "../inference/thread-pool.ts";
import { createEmbeddingMetrics } from "../metrics.ts";
import type { EncoderFolder } from "../model/encoder-folder.ts";
import { readEncoderFolder } from "../model/encoder-folder.ts";
import { readModelFolder } from "../model/model-folder.ts";
import { TextTokenizer } from "../model/tokenizer.ts";
import { Scheduler } from "../scheduling/scheduler.ts";
import { Throughput } from "../scheduling/throughput.ts";
import { FakeEngine, settle } from "../testing/fake-engine.ts";
import {
  tinyIds,
  tinyVector,
  tinyWeight,
  writeTinyAnswerHead,
  writeTinyCrossEncoder,
  writeTinyEncoder,
} from "../testing/tiny-models.ts";
import { CrossEncoder } from "./cross-encoder.ts";
import { LateInteraction } from "./late-interaction.ts";
import { TokenEncoder } from "./token-encoder.ts";
import { TokenVectorStore } from "./token-vector-store.ts";

const folder = await temporaryFolder();
let pool: ThreadPool;
let encoder: EncoderFolder;
let tokenizer: TextTokenizer;
let pairTokenizer: TextTokenizer;

before(async () => {
  encoder = await readEncoderFolder(await writeTinyEncoder(join(folder, "encoder")));
  const crossEncoder = await readModelFolder(await writeTinyCrossEncoder(join(folder, "cross-encoder")));
  tokenizer = TextTokenizer.load(encoder.tokenizerFile, encoder.maxTokens);
  pairTokenizer = TextTokenizer.load(crossEncoder.tokenizerFile, crossEncoder.maxTokens);
  const answerHeadFile = await writeTinyAnswerHead(join(folder, "answer_head.onnx"));
  encoder = { ...encoder, answerHeadFile };
  pool = await ThreadPool.start({ encoder, crossEncoder, threads: 1 }, 1, () => {});
});
after(() => pool.close());

function schedulerOf(engine: Engine): Scheduler {
  const telemetry = silentTelemetry("embedding-worker");
  return new Scheduler({
    engine,
    limits: { tokens: 16, texts: 8 },
    urgentQueueTokens: 1000,
    throughput: new Throughput(1, 1000),
    metrics: createEmbeddingMetrics(telemetry.metrics),
    tracer: telemetry.tracer,
  });
}

function lateInteraction(engine: Engine, answerHead = true) {
  const store = new TokenVectorStore({
    cache: createMemoryCache({ maxBytes: 1_000_000 }),
    fingerprint: encoder.fingerprint,
    ingestBytes: 1000,
  });
  const tokenEncoder = new TokenEncoder(tokenizer, schedulerOf(engine), store);
  return {
    store,
    reranker: new LateInteraction({ tokenEncoder, tokenizer, engine, passagePrefix: "", answerHead }),
  };
}

const options = (more: { budgetMs?: number; signal?: AbortSignal; skipCache?: boolean } = {}) => ({
  flow: {},
  signal: more.signal ?? new AbortController().signal,
  skipCache: more.skipCache ?? false,
  budgetMs: more.budgetMs ?? 0,
});

function cosine(a: number, b: number): number {
  const [left, right] = [tinyVector(a), tinyVector(b)];
  return (
    left.reduce((sum, value, at) => sum + value * (right[at] ?? 0), 0) /
    (Math.hypot(...left) * Math.hypot(...right))
  );
}

test("late interaction scores by the mean of each query token's best cosine", async () => {
  const { reranker } = lateInteraction(pool);
  const passages = ["sea fish boat", "river", "mill rain stone river"];
  const { scores } = await reranker.rerank("river sea", passages, options());
  for (const [index, passage] of passages.entries()) {
    const best = tinyIds("river sea").map((asked) =>
      Math.max(...tinyIds(passage).map((id) => cosine(asked, id))),
    );
    const expected = best.reduce((sum, value) => sum + value, 0) / best.length;
    assert(Math.abs((scores[index] ?? 9) - expected) < 0.01, `${scores[index]} rather than ${expected}`);
  }
});

test("where asked for, late interaction tells each query token's place and best cosine", async () => {
  const { reranker } = lateInteraction(pool);
  const passages = ["sea fish boat", "mill rain"];
  const { scores, matches } = await reranker.rerank("river sea", passages, {
    ...options(),
    tokenScores: true,
  });
  assert.deepEqual(matches?.tokens, [
    { start: 0, end: 0 },
    { start: 0, end: 5 },
    { start: 6, end: 9 },
    { start: 0, end: 0 },
  ]);
  assert.equal(matches.cosines.length, passages.length);
  for (const [index, passage] of passages.entries()) {
    const cosines: number[] = [...(matches.cosines[index] ?? [])];
    assert.equal(cosines.length, 4);
    for (const [at, asked] of tinyIds("river sea").entries()) {
      const expected = Math.max(...tinyIds(passage).map((id) => cosine(asked, id)));
      assert(Math.abs((cosines[at] ?? 9) - expected) < 0.01, `${passage}: ${cosines}`);
    }
    const mean = cosines.reduce((sum, value) => sum + value, 0) / cosines.length;
    assert(Math.abs((scores[index] ?? 9) - mean) < 1e-5);
  }
  assert.equal((await reranker.rerank("river sea", passages, options())).matches, undefined);
});

test("where asked for, late interaction tells what answers; neighbours of one text are read with a passage", async () => {
  const engine = new FakeEngine(9);
  const { reranker } = lateInteraction(engine);
  const passages = ["sea fish", "boat", "mill rain stone"];
  const read = async (answersOf?: readonly number[]) => {
    engine.started.length = 0;
    const running = reranker.rerank("river", passages, { ...options(), ...(answersOf ? { answersOf } : {}) });
    let ended = false;
    const done = running.finally(() => {
      ended = true;
    });
    while (!ended) {
      await settle();
      await engine.finishAll();
    }
    const sentences = engine.started.flatMap(({ job }) => (job.kind === "answer-odds" ? job.sentences : []));
    const beside = sentences.map(({ before, after }) => [before !== undefined, after !== undefined]);
    return { odds: (await done).answerOdds, beside };
  };
  const [alone, first, last] = [
    [false, false],
    [false, true],
    [true, false],
  ];
  assert.deepEqual(await read([1, 1, 2]), { odds: [0.5, 0.5, 0.5], beside: [first, last, alone] });
  assert.deepEqual((await read([])).beside, [alone, alone, alone]);
  assert.deepEqual(await read(), { odds: undefined, beside: [] });
});

test("the odds of an answer are those of the encoder's head, and there are none without a head", async () => {
  const asked = { ...options(), answersOf: [7, 7] };
  const { answerOdds = [] } = await lateInteraction(pool).reranker.rerank(
    "river",
    ["sea", "fish boat"],
    asked,
  );
  assert(answerOdds.every((odds) => odds !== undefined && odds > 0) && answerOdds.length === 2);
  const { reranker } = lateInteraction(pool, false);
  const { answerOdds: none, scores } = await reranker.rerank("river", ["sea", "fish boat"], asked);
  assert.deepEqual([none, scores.length], [undefined, 2]);
});

test("a passage goes through the model once, unless the cache is to be skipped", async () => {
  const engine = new FakeEngine(9);
  const { reranker } = lateInteraction(engine);
  const textsEncoded = async (skipCache = false) => {
    engine.started.length = 0;
    const running = reranker.rerank("river", ["sea fish", "boat"], options({ skipCache }));
    while (engine.started.at(-1)?.job.kind !== "max-sim" || engine.running.length > 0) {
      await settle();
      await engine.finishAll();
    }
    await running;
    return engine.started.flatMap(({ lengths }) => lengths).length;
  };
  assert.equal(await textsEncoded(), 3);
  assert.equal(await textsEncoded(), 0);
  assert.equal(await textsEncoded(true), 3);
});

test("ingest fills the store until its share is used up", async () => {
  const { store, reranker } = lateInteraction(pool);
  assert.equal(store.takesFromIngest, true);
  await store.keepFromIngest([{ text: "sea fish", packed: new Uint8Array(1000) }]);
  assert.equal(store.takesFromIngest, false);
  assert.deepEqual((await store.find(["sea fish"]))[0]?.byteLength, 1000);
  const { scores } = await reranker.rerank("river", ["sea"], options());
  assert.equal(scores.length, 1);
});

test("when the budget is used up, what is known is returned, the first candidates first", async () => {
  const engine = new FakeEngine();
  const { reranker } = lateInteraction(engine);
  const running = reranker.rerank("river", ["sea fish boat mill", "stone"], options({ budgetMs: 2000 }));
  let answered = false;
  void running.finally(() => {
    answered = true;
  });
  // The query, the first passage and its score; the second never ends. A machine too busy for that fails below.
  for (let jobs = 0; jobs < 3 && !answered; ) {
    await settle();
    const run = engine.running.find(({ lengths }) => lengths[0] !== 3 || jobs === 0);
    if (!run) continue;
    run.finish();
    jobs += 1;
  }
  const { scores } = await running;
  assert.deepEqual(scores, [0.5, undefined]);
  await engine.finishAll();
});

test("a caller who leaves gets no scores, and nothing more is computed", async () => {
  const engine = new FakeEngine();
  const { reranker } = lateInteraction(engine);
  const leave = new AbortController();
  const running = reranker.rerank("river", ["sea", "fish"], options({ signal: leave.signal }));
  while (engine.started.length === 0) await settle();
  leave.abort();
  await assert.rejects(running, { name: "AbortError" });
  await engine.finishAll();
  assert.equal(engine.started.length, 1);
});

test("a caller may leave at any moment: nothing is left that rejects with nobody waiting", async () => {
  // One after the other through the steps of a rerank; an unhandled rejection fails the test.
  for (let turns = 0; turns < 12; turns += 1) {
    for (let ticks = 0; ticks < 12; ticks += 1) {
      const engine = new FakeEngine();
      const { reranker } = lateInteraction(engine);
      const leave = new AbortController();
      const running = reranker.rerank("river", ["sea", "fish"], options({ signal: leave.signal }));
      for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
      for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
      leave.abort();
      await assert.rejects(running, { name: "AbortError" });
      await engine.finishAll();
    }
  }
});

test("a cross-encoder's scores are its own", async () => {
  const reranker = new CrossEncoder(pairTokenizer, schedulerOf(pool));
  const { scores, timings } = await reranker.rerank("river", ["rain mill", "stone", ""], options());
  assert.deepEqual(scores, [tinyWeight(9) + tinyWeight(8), tinyWeight(6), 0]);
  assert(timings.tokenizeMs > 0);
});

test("a cross-encoder keeps to the budget too", async () => {
  const engine = new FakeEngine();
  const reranker = new CrossEncoder(pairTokenizer, schedulerOf(engine));
  const running = reranker.rerank("river", ["sea fish boat mill rain", "stone"], options({ budgetMs: 200 }));
  while (engine.running.length === 0) await settle();
  engine.running[0]?.finish();
  const { scores } = await running;
  assert.deepEqual(scores, [9, undefined]);
  await engine.finishAll();
});
