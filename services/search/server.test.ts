import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { HeadwaterError, status } from "@headwater/errors";
import { FusionMethod, SearchServiceDefinition, Stage } from "@headwater/proto/services/headwater/v1/search";
import { createRpcClient } from "@headwater/rpc";
import { until } from "@headwater/testing";
import { newGeneration, startSearchHarness } from "./testing/search-harness.ts";

const empty = await startSearchHarness();
const harness = await startSearchHarness();
const busy = await startSearchHarness({
  admission: { maxRunning: 1, maxWaiting: 1, maxWaitMs: 60_000 },
  pressure: { rerankMaxWaitMs: 0, vectorMaxWaitMs: 0 },
});
const { double } = harness;

const crowd = Array.from({ length: 60 }, (_, at) => ({
  id: `crowd${at}`,
  texts: [`engine part ${at} of many`, `more on engine part ${at}`],
  tenant: "crowd",
  attributes: { parity: at % 2 ? "odd" : "even" },
}));
await harness.index(
  { id: "a", texts: ["the wing flutters in the wind", "the tail does not"], title: "Wings" },
  { id: "b", texts: ["boundary layers on a flat plate"], mediaType: "text/markdown", observedAt: 5000 },
  { id: "c", texts: ["wind tunnels and a wing"], attributes: { lang: "en" } },
  ...crowd,
);
await busy.index({ id: "a", texts: ["the wing flutters"] });

afterEach(() => {
  Object.assign(double.behaviour, {
    fingerprint: "double",
    embedError: undefined,
    rerankError: undefined,
    rerankDelayMs: 0,
    rerankScored: Number.POSITIVE_INFINITY,
  });
});

const unavailable = new HeadwaterError({
  code: status.UNAVAILABLE,
  reason: "HW_TEST_DOWN",
  message: "Down for a test.",
});
/** In the busy one's metrics. */
const untilTold = (line: string) =>
  until(line, async () => (await busy.service.metrics.metrics()).includes(line));

const stageList = [Stage.LEXICAL, Stage.VECTOR, Stage.FUSED, Stage.RERANKED];

describe("stages", () => {
  test("an index that is not there yet gives no hits and a summary", async () => {
    const { stages, hits, summary } = await empty.search({ query: "wing" });
    assert.deepEqual(
      [stages.length, hits.length, summary.finalStage, summary.candidates, summary.nextPageToken],
      [1, 0, Stage.FUSED, 0, ""],
    );
  });

  test("hits stream out stage by stage, then a summary with the time of each step", async () => {
    const { stages, hits, summary } = await harness.search({ query: "wings fluttering" });
    assert.deepEqual(stages.map(({ stage }) => stage).sort(), stageList);
    assert.deepEqual(
      stages.slice(2).map(({ stage }) => stage),
      [Stage.FUSED, Stage.RERANKED],
    );
    assert.equal(summary.finalStage, Stage.RERANKED);
    assert.deepEqual(summary.degradations, []);
    assert.deepEqual(Object.keys(summary.milliseconds).sort(), [
      "embed",
      "first_hits",
      "fuse",
      "lexical",
      "rerank",
      "total",
      "vector",
      "wait",
    ]);
    const [first] = hits;
    assert.equal(first?.passageId, "default/a/1/0");
    assert.deepEqual(
      [first.rank, first.text, first.document?.title, first.location?.range],
      [1, "the wing flutters in the wind", "Wings", { start: 0, end: 29 }],
    );
    assert.deepEqual([first.highlights, first.explanation], [[], undefined]);
    for (const stage of stages) {
      for (const [at, { score, rank }] of stage.hits.entries()) {
        assert.equal(rank, at + 1);
        assert(at === 0 || score <= (stage.hits[at - 1]?.score ?? 0));
      }
    }
  });

  test("the first hits leave before the rerank has run", async () => {
    double.behaviour.rerankDelayMs = 300;
    const started = performance.now();
    let first: number | undefined;
    for await (const { event } of harness.client.call.search({ query: "wing early" }))
      if (event?.$case === "hits") first ??= performance.now() - started;
    assert(first !== undefined && first < 300 && performance.now() - started >= 300);
  });

  test("only the stages that were asked for are sent, and the last one always", async () => {
    const sent = async (stages: Stage[], disabled = false) =>
      (await harness.search({ query: "wing", stages, rerank: { disabled } })).stages.map(
        ({ stage }) => stage,
      );
    assert.deepEqual(await sent([Stage.LEXICAL]), [Stage.LEXICAL, Stage.RERANKED]);
    assert.deepEqual(await sent([Stage.LEXICAL], true), [Stage.LEXICAL, Stage.FUSED]);
    assert.deepEqual(await sent([Stage.RERANKED]), [Stage.RERANKED]);
    assert.deepEqual(await sent([Stage.RERANKED], true), [Stage.FUSED]);
    double.behaviour.rerankError = unavailable;
    assert.deepEqual(await sent([Stage.RERANKED]), [Stage.FUSED]);
  });

  test("a weight of 1 or 0 leaves the other list out", async () => {
    const calls = double.calls.embedQuery;
    const words = await harness.search({ query: "wing unheard", fusion: { lexicalWeight: 1 } });
    assert.equal(double.calls.embedQuery, calls);
    assert(!words.stages.some(({ stage }) => stage === Stage.VECTOR));
    const vectors = await harness.search({ query: "wing unheard", fusion: { lexicalWeight: 0 } });
    assert(!vectors.stages.some(({ stage }) => stage === Stage.LEXICAL));
    assert(vectors.hits.length > words.hits.length);
  });
});

describe("options", () => {
  test("filters narrow both lists, and tenants do not see each other", async () => {
    const found = async (filter: object, tenant = "") =>
      (await harness.search({ query: "wing plate engine", tenant, filter })).hits
        .map(({ document }) => document?.id)
        .sort();
    assert.deepEqual(await found({ attributes: [{ key: "lang", values: ["en", "de"] }] }), ["c"]);
    assert.deepEqual(await found({ mediaTypes: ["text/markdown"] }), ["b"]);
    assert.deepEqual(await found({ documentIds: ["a"] }), ["a", "a"]);
    assert.deepEqual(await found({ observedBefore: new Date(5001) }), ["b"]);
    assert.deepEqual(await found({ observedFrom: new Date(5001) }), ["a", "a", "c"]);
    assert.deepEqual(await found({}, "nobody"), []);
  });

  test("explanations: the shares add up to the fused score, in both methods", async () => {
    for (const method of [FusionMethod.MIN_MAX, FusionMethod.RRF]) {
      const { hits } = await harness.search({ query: "wing in the wind", explain: true, fusion: { method } });
      assert(hits.length > 2);
      for (const { explanation } of hits) {
        assert(explanation);
        assert.equal(explanation.lists.length, 2);
        assert.equal(
          explanation.lists.reduce((sum, { share }) => sum + share, 0),
          explanation.fusedScore,
        );
        assert.notEqual(explanation.rerankScore, undefined);
      }
    }
  });

  test("highlights mark the query's words", async () => {
    const { hits } = await harness.search({ query: "fluttering WINGS", highlight: true });
    const [hit] = hits;
    assert.deepEqual(
      hit?.highlights.map(({ start, end }) => hit.text.slice(start, end)),
      ["wing", "flutters"],
    );
  });

  test("grouping leaves the best passage of each document, in every stage", async () => {
    const { stages } = await harness.search({ query: "wing tail", groupByDocument: true });
    for (const { stage, hits } of stages) {
      const ids = hits.map(({ document }) => document?.id);
      assert.equal(new Set(ids).size, ids.length, String(stage));
      assert(ids.includes("a"));
    }
  });

  test("a wrong request is told so", async () => {
    await assert.rejects(harness.search({ query: "" }), { reason: "HW_QUERY_EMPTY", code: 3 });
    await assert.rejects(harness.search({ query: "x", pageToken: "nonsense" }), {
      reason: "HW_PAGE_TOKEN_INVALID",
    });
  });
});

describe("pages", () => {
  const request = { query: "engine part", tenant: "crowd", pageSize: 17 };

  test("pages neither repeat nor skip a hit, and ranks go on", async () => {
    for (const rerank of [{ disabled: true }, { disabled: false }]) {
      const ids: string[] = [];
      let pageToken = "";
      let pages = 0;
      do {
        const { hits, summary, stages } = await harness.search({ ...request, rerank, pageToken });
        assert.deepEqual(
          hits.map(({ rank }) => rank),
          hits.map((_, at) => ids.length + at + 1),
        );
        if (pages > 0) assert.equal(stages.length, 1);
        ids.push(...hits.map(({ passageId }) => passageId));
        pageToken = summary.nextPageToken;
        assert.equal(summary.finalStage, rerank.disabled ? Stage.FUSED : Stage.RERANKED);
        pages += 1;
      } while (pageToken !== "");
      const whole = await harness.search({ ...request, rerank, pageSize: 100 });
      assert.deepEqual(
        ids.slice(0, 100),
        whole.hits.map(({ passageId }) => passageId),
      );
      assert.equal(new Set(ids).size, ids.length);
      assert.equal(ids.length, whole.summary.candidates);
    }
  });

  test("a service that did not make the first page makes the same second one", async () => {
    const other = await startSearchHarness();
    await other.index(...crowd);
    const first = await other.search(request);
    const expected = await other.search({ ...request, pageToken: first.summary.nextPageToken });
    // Fills the cache of rankings with others, as a restart would empty it.
    const again = await startSearchHarness({
      indexFolder: other.folder,
      embeddingAddress: other.double.address,
    });
    const page = await again.search({ ...request, pageToken: first.summary.nextPageToken });
    assert.deepEqual(page.hits, expected.hits);
    again.double.behaviour.rerankError = unavailable;
    other.double.behaviour.rerankError = unavailable;
    await assert.rejects(
      again.search({
        ...request,
        pageSize: 5,
        query: "engine parts",
        pageToken: first.summary.nextPageToken,
      }),
      { reason: "HW_PAGE_TOKEN_INVALID" },
    );
  });

  test("a first page that was not reranked is followed by pages that are not", async () => {
    double.behaviour.rerankError = unavailable;
    const first = await harness.search({ ...request, query: "engine many" });
    double.behaviour.rerankError = undefined;
    const reranks = double.calls.rerank;
    const second = await harness.search({
      ...request,
      query: "engine many",
      pageToken: first.summary.nextPageToken,
    });
    assert.deepEqual([second.summary.finalStage, double.calls.rerank], [Stage.FUSED, reranks]);
  });

  test("a token is bound to its search and to the index", async () => {
    const { summary } = await harness.search(request);
    const pageToken = summary.nextPageToken;
    const wrong = { reason: "HW_PAGE_TOKEN_INVALID" };
    await assert.rejects(harness.search({ ...request, tenant: "default", pageToken }), wrong);
    await assert.rejects(harness.search({ ...request, groupByDocument: true, pageToken }), wrong);
    const filter = { documentIds: ["crowd1"] };
    await assert.rejects(harness.search({ ...request, filter, pageToken }), wrong);
    assert.equal((await harness.search({ ...request, pageSize: 3, pageToken })).hits.length, 3);
  });
});

describe("degradation", () => {
  test("without the embedding-worker the words alone answer, and the summary says so", async () => {
    double.behaviour.embedError = unavailable;
    const { hits, summary } = await harness.search({ query: "wing never embedded", explain: true });
    assert(hits.length > 0);
    assert.deepEqual(
      summary.degradations.map(({ stage, reason }) => [stage, reason]),
      [[Stage.VECTOR, "HW_TEST_DOWN"]],
    );
    assert.deepEqual(
      hits[0]?.explanation?.lists.map(({ stage, weight }) => [stage, weight]),
      [[Stage.LEXICAL, 1]],
    );
    await assert.rejects(harness.search({ query: "wing never embedded", fusion: { lexicalWeight: 0 } }), {
      reason: "HW_TEST_DOWN",
    });
  });

  test("vectors of another model are not compared", async () => {
    double.behaviour.fingerprint = "another";
    const { hits, summary } = await harness.search({ query: "wing of another model" });
    assert(hits.length > 0);
    assert.deepEqual(
      summary.degradations.map(({ stage, reason }) => [stage, reason]),
      [[Stage.VECTOR, "HW_INDEX_FINGERPRINT_MISMATCH"]],
    );
  });

  test("a rerank that fails leaves the fused order", async () => {
    double.behaviour.rerankError = unavailable;
    const { stages, summary } = await harness.search({ query: "wing" });
    assert.deepEqual([stages.at(-1)?.stage, summary.finalStage], [Stage.FUSED, Stage.FUSED]);
    assert.deepEqual(
      summary.degradations.map(({ stage, reason }) => [stage, reason]),
      [[Stage.RERANKED, "HW_TEST_DOWN"]],
    );
  });

  test("a budget that runs out returns what is known", async () => {
    double.behaviour.rerankScored = 2;
    const partial = await harness.search({ query: "wing", explain: true });
    assert.equal(partial.summary.finalStage, Stage.RERANKED);
    const scored = partial.hits.filter(({ explanation }) => explanation?.rerankScore !== undefined);
    assert.equal(scored.length, 2);
    double.behaviour.rerankScored = 0;
    const nothing = await harness.search({ query: "wing" });
    assert.equal(nothing.summary.finalStage, Stage.FUSED);
    double.behaviour.rerankDelayMs = 5000;
    const late = await harness.search({ query: "wing", rerank: { budgetMs: 20 } });
    assert.equal(late.summary.finalStage, Stage.FUSED);
    for (const { summary } of [partial, nothing, late])
      assert.deepEqual(
        summary.degradations.map(({ stage, reason }) => [stage, reason]),
        [[Stage.RERANKED, "HW_RERANK_BUDGET_EXHAUSTED"]],
      );
  });

  test("when both lists fail there is an error, not an empty answer", async () => {
    const broken = await startSearchHarness({ embeddingAddress: "127.0.0.1:1" });
    await newGeneration(broken.store);
    await broken.index({ id: "a", texts: ["wing"] });
    assert.equal((await broken.search({ query: "wing" })).hits.length, 1);
    await assert.rejects(broken.search({ query: "wing", fusion: { lexicalWeight: 0 } }), {
      code: status.UNAVAILABLE,
      reason: "HW_SERVICE_UNAVAILABLE",
    });
  });
});

describe("service", () => {
  test("the vector of a query is asked for once", async () => {
    const calls = double.calls.embedQuery;
    assert.equal((await harness.search({ query: "wing asked once" })).summary.queryCached, false);
    assert.equal((await harness.search({ query: "wing asked once" })).summary.queryCached, true);
    assert.equal(double.calls.embedQuery, calls + 1);
  });

  test("a switch of the generation is noticed, its vectors are asked for anew, and old page tokens end", async () => {
    const changing = await startSearchHarness();
    await changing.index(...crowd.map((document) => ({ ...document, tenant: "default" })));
    const first = await changing.search({ query: "engine" });
    assert(first.summary.nextPageToken);
    await newGeneration(changing.store, "next");
    changing.double.behaviour.fingerprint = "next";
    await changing.index({ id: "new", texts: ["engine anew"] });
    await changing.store.dropInactive();
    const { hits, summary } = await changing.search({ query: "engine" });
    assert.deepEqual([hits.map(({ document }) => document?.id), summary.degradations], [["new"], []]);
    assert.equal(summary.queryCached, false);
    await assert.rejects(changing.search({ query: "engine", pageToken: first.summary.nextPageToken }), {
      code: status.FAILED_PRECONDITION,
      reason: "HW_PAGE_TOKEN_EXPIRED",
    });
  });

  test("a caller who leaves stops the rerank, and gives its place back", async () => {
    busy.double.behaviour.rerankDelayMs = 60_000;
    const leaving = new AbortController();
    await assert.rejects(
      async () => {
        const request = { query: "wing", rerank: { budgetMs: 60_000 } };
        for await (const { event } of busy.client.call.search(request, { signal: leaving.signal })) {
          if (event?.$case !== "hits" || event.value.stage !== Stage.FUSED) continue;
          await until("the rerank begins", () => busy.double.calls.rerank === 1);
          leaving.abort();
        }
      },
      { name: "AbortError" },
    );
    await until("the rerank is called off", () => busy.double.aborted.rerank === 1);
    busy.double.behaviour.rerankDelayMs = 0;
    assert((await busy.search({ query: "wing" })).hits.length > 0);
  });

  test("searches that had to wait in line do without rerank and vectors, and say so", async () => {
    const { behaviour, calls } = busy.double;
    const inLine = async (query: string) => {
      behaviour.rerankDelayMs = 60_000;
      const before = calls.rerank;
      const leaving = new AbortController();
      const first = busy.search({ query: "wing", rerank: { budgetMs: 60_000 } }, leaving.signal);
      await until("the rerank begins", () => calls.rerank === before + 1);
      const second = busy.search({ query });
      await untilTold('headwater_search_waiting_requests{service="search"} 1\n');
      leaving.abort();
      await assert.rejects(first, { name: "AbortError" });
      const { hits, stages, summary } = await second;
      behaviour.rerankDelayMs = 0;
      assert.equal(calls.rerank, before + 1);
      assert.equal(hits.length, 1);
      assert.equal(stages.at(-1)?.stage, Stage.FUSED);
      assert(Number(summary.milliseconds["wait"]) > 0);
      return summary.degradations.map(({ reason }) => reason);
    };
    const before = calls.embedQuery;
    assert.deepEqual(await inLine("wing flutters in line"), ["HW_VECTOR_SHED", "HW_RERANK_SHED"]);
    // But for the one ahead of it, which is in a cache.
    assert.equal(calls.embedQuery, before);
    assert.deepEqual(await inLine("zeppelin"), ["HW_RERANK_SHED"]);
    await untilTold(
      'headwater_search_degradations_total{stage="reranked",reason="HW_RERANK_SHED",service="search"} 2\n',
    );
    assert.deepEqual((await busy.search({ query: "wing" })).summary.degradations, []);
  });

  test("beyond what can run and wait, a search is refused at once with a hint", async () => {
    busy.double.behaviour.rerankDelayMs = 400;
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => busy.search({ query: "wing" })));
    busy.double.behaviour.rerankDelayMs = 0;
    const refused = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
    assert.equal(refused.length, 2);
    for (const error of refused) {
      assert(error instanceof HeadwaterError);
      assert.deepEqual([error.code, error.reason], [status.RESOURCE_EXHAUSTED, "HW_SEARCH_OVERLOADED"]);
      assert(Number(error.retryAfterMs) > 0);
    }
  });

  test("metrics are there before the first search, and count", async () => {
    const fresh = await startSearchHarness();
    const before = await fresh.service.metrics.metrics();
    for (const line of [
      'rag_queries_total{kind="search",service="search"} 0',
      'rag_active_requests{kind="search",service="search"} 0',
      'rag_cache_hits_total{cache="query_embedding",service="search"} 0',
      'headwater_search_step_duration_seconds_count{service="search",step="rerank"} 0',
      'headwater_search_waiting_requests{service="search"} 0',
      'headwater_search_zero_hits_total{service="search"} 0',
      'headwater_search_first_hits_seconds_count{service="search"} 0',
      'headwater_search_top_score_count{service="search",stage="vector"} 0',
    ])
      assert(before.includes(line), line);
    await fresh.search({ query: "nothing is there" });
    await fresh.index({ id: "a", texts: ["wing"] });
    await fresh.search({ query: "wing" });
    await fresh.search({ query: "wing" });
    await assert.rejects(fresh.search({ query: "" }));
    const after = await fresh.service.metrics.metrics();
    for (const line of [
      'rag_queries_total{kind="search",service="search"} 4',
      'rag_active_requests{kind="search",service="search"} 0',
      'rag_errors_total{kind="search",code="INVALID_ARGUMENT",service="search"} 1',
      'rag_cache_hits_total{cache="query_embedding",service="search"} 1',
      'rag_cache_misses_total{cache="query_embedding",service="search"} 1',
      'headwater_search_step_duration_seconds_count{service="search",step="lexical"} 2',
      'headwater_search_zero_hits_total{service="search"} 1',
      'headwater_search_first_hits_seconds_count{service="search"} 2',
      'headwater_search_top_score_count{service="search",stage="vector"} 2',
      'headwater_search_top_score_bucket{le="0.95",service="search",stage="vector"} 0',
    ])
      assert(after.includes(line), `${line}\n${after}`);
  });

  test("many searches at one time all end, each with its own answer", async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, at) =>
        harness.search({
          query: `engine part ${at}`,
          tenant: "crowd",
          pageSize: 1,
          rerank: { disabled: true },
        }),
      ),
    );
    for (const { hits } of answers) assert.equal(hits.length, 1);
  });

  test("a reader who does not read keeps nobody from searching", async () => {
    const guest = createRpcClient(SearchServiceDefinition, busy.service.address);
    const stream = guest.call.search({ query: "wing" })[Symbol.asyncIterator]();
    await stream.next();
    assert((await busy.search({ query: "wing" })).hits.length > 0);
    await stream.return?.();
    guest.close();
  });
});
