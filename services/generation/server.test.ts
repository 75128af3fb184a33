import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import type {
  AnswerRequest,
  AnswerResponse,
  DeepPartial,
} from "@headwater/proto/services/headwater/v1/generation";
import { EndReason, GenerationServiceDefinition } from "@headwater/proto/services/headwater/v1/generation";
import type { RpcClient } from "@headwater/rpc";
import { createRpcClient } from "@headwater/rpc";
import type { RunningService } from "@headwater/service";
import { silentTelemetry } from "@headwater/telemetry";
import { temporaryFolder, until } from "@headwater/testing";
import { readGenerationConfig } from "./config.ts";
import { startGeneration } from "./server.ts";
import type { SearchDouble } from "./testing/search-double.ts";
import { passage, startSearchDouble } from "./testing/search-double.ts";

let search: SearchDouble;
let service: RunningService;
let client: RpcClient<typeof GenerationServiceDefinition>;
const telemetry = silentTelemetry("generation");

before(async () => {
  search = await startSearchDouble();
  const config = readGenerationConfig({
    HEADWATER_GENERATION_LISTEN: "127.0.0.1:0",
    HEADWATER_DATA_DIR: await temporaryFolder(),
    HEADWATER_SEARCH_ADDRESS: search.address,
    // Nothing listens there: words alone decide.
    HEADWATER_EMBEDDING_ADDRESS: "127.0.0.1:1",
    HEADWATER_GENERATION_MAX_ANSWERS: "2",
  });
  service = await startGeneration(config, telemetry);
  client = createRpcClient(GenerationServiceDefinition, service.address);
});
afterEach(() => {
  search.instead = undefined;
  search.requests.length = 0;
});
after(async () => {
  client.close();
  await service.close(500);
  await search.close();
});

type Event = NonNullable<AnswerResponse["event"]>;

async function ask(request: DeepPartial<AnswerRequest>, signal?: AbortSignal): Promise<Event[]> {
  const events: Event[] = [];
  for await (const { event } of client.call.answer(request, signal ? { signal } : {}))
    if (event) events.push(event);
  return events;
}

async function failure(request: DeepPartial<AnswerRequest>): Promise<HeadwaterError> {
  return await ask(request).then(
    () => assert.fail("no error was thrown"),
    (thrown) => {
      assert(thrown instanceof HeadwaterError, String(thrown));
      return thrown;
    },
  );
}

const pumps =
  "Pumps are old. The steam engine of the Haarlem pumping station was built in Cornwall in 1845. It rained.";
const wells = "Wells are deep. Water of the well at Ouarzazate is salty.";

test("an answer is its best sentences, each cited with offsets both ways", async () => {
  search.passages = [passage("wells", wells), passage("pumps", pumps, 700)];
  const question = "Where was the steam engine of the Haarlem pumping station built?";
  const events = await ask({ question });

  assert(events[0]?.$case === "passages");
  assert.deepEqual(
    events[0].value.hits.map((hit) => hit.document?.id),
    ["wells", "pumps"],
  );
  const text = events.flatMap((event) => (event.$case === "text" ? [event.value.text] : [])).join("");
  assert.equal(text, "The steam engine of the Haarlem pumping station was built in Cornwall in 1845. [2]");
  const citations = events.flatMap((event) => (event.$case === "citation" ? [event.value] : []));
  assert.equal(citations.length, 1);
  const [citation] = citations;
  assert(citation?.claim && citation.evidence);
  assert.equal(text.slice(citation.claim.start, citation.claim.end), citation.quote);
  assert.equal(pumps.slice(citation.evidence.start - 700, citation.evidence.end - 700), citation.quote);
  assert.deepEqual(
    [citation.source, citation.document?.id, citation.page, citation.passageId],
    [2, "pumps", 2, "default/pumps/1/0"],
  );
  assert(citation.support > 0.5 && citation.support <= 1);
  const end = events.at(-1);
  assert(end?.$case === "end");
  assert.equal(end.value.reason, EndReason.COMPLETE);
  assert.equal(end.value.model, "extractive");
  assert(end.value.usage && end.value.usage.outputTokens > 0);
  assert.deepEqual(Object.keys(end.value.milliseconds).sort(), ["first_token", "search", "total"]);
  assert.deepEqual(
    events.map(({ $case }) => $case),
    ["passages", "text", "citation", "end"],
  );
});

test("passages without an answer, and no passages, are said so", async () => {
  for (const passages of [[passage("wells", wells)], []]) {
    search.passages = passages;
    const events = await ask({ question: "Who discovered penicillin?" });
    assert.deepEqual(
      events.map(({ $case }) => $case),
      ["passages", "text", "end"],
    );
    assert(events[1]?.$case === "text" && events[2]?.$case === "end");
    assert.equal(events[1].value.text, "The documents do not say.");
    assert.equal(events[2].value.reason, EndReason.NO_SUPPORT);
  }
});

test("tenant, filter and number of passages reach search", async () => {
  search.passages = [passage("wells", wells)];
  await ask({
    tenant: "acme",
    question: "Is it salty?",
    filter: { mediaTypes: ["text/html"] },
    maxPassages: 3,
  });
  const [request] = search.requests;
  assert.equal(request?.tenant, "acme");
  assert.equal(request?.pageSize, 3);
  assert.deepEqual(request?.filter?.mediaTypes, ["text/html"]);
  await ask({ question: "Is it salty?" });
  assert.deepEqual([search.requests[1]?.tenant, search.requests[1]?.pageSize], ["default", 8]);
});

test("bad requests are refused with a reason", async () => {
  const reasons = [
    [{ question: " " }, "HW_QUESTION_EMPTY"],
    [{ question: "x".repeat(8193) }, "HW_QUESTION_TOO_LONG"],
    [{ question: "x", tenant: "a/b" }, "HW_TENANT_INVALID"],
    [{ question: "x", model: "gpt" }, "HW_MODEL_UNKNOWN"],
    [{ question: "x", maxPassages: 51 }, "HW_LIMIT_INVALID"],
    [{ question: "x", maxOutputTokens: 9000 }, "HW_LIMIT_INVALID"],
    [{ question: "x", temperature: 3 }, "HW_TEMPERATURE_INVALID"],
  ] as const;
  for (const [request, reason] of reasons) {
    const error = await failure(request);
    assert.deepEqual([error.code, error.reason], [3, reason]);
  }
});

test("beyond the bound an answer is refused at once, and a caller who leaves gives the place back", async () => {
  search.passages = [passage("wells", wells)];
  let waiting = 0;
  let left = 0;
  search.instead = (signal) =>
    new Promise((resolve) => {
      waiting += 1;
      signal.addEventListener("abort", () => {
        left += 1;
        resolve();
      });
    });
  const leave = new AbortController();
  const held = [1, 2].map(() =>
    ask({ question: "Is it salty?" }, leave.signal).catch((thrown: Error) => thrown.name),
  );
  await until("both answers wait for the model", () => waiting === 2);
  const error = await failure({ question: "Is it salty?" });
  assert.deepEqual([error.code, error.reason, error.retryAfterMs], [8, "HW_OVERLOADED", 1000]);

  leave.abort();
  assert.deepEqual(await Promise.all(held), ["AbortError", "AbortError"]);
  await until("the model hears that both have left", () => left === 2);
  search.instead = undefined;
  assert.equal(
    (await ask({ question: "Is the water of the well at Ouarzazate salty?" })).at(-1)?.$case,
    "end",
  );
});

test("a deadline ends an answer, and search with it", async () => {
  let ended = false;
  search.instead = (signal) =>
    new Promise((resolve) =>
      signal.addEventListener("abort", () => {
        ended = true;
        resolve();
      }),
    );
  await assert.rejects(
    async () => {
      for await (const _ of client.call.answer({ question: "Is it salty?" }, { deadline: 200 }));
    },
    { code: 4 },
  );
  await until("the model hears of it", () => ended);
});

test("the models are listed, and metrics are there", async () => {
  const { models } = await client.call.listModels({});
  assert.deepEqual(models, [
    {
      name: "extractive",
      provider: "extractive",
      isDefault: true,
      contextTokens: 0,
      toolCalling: "none",
      fallbacks: [],
    },
  ]);
  const metrics = await telemetry.metrics.metrics();
  for (const name of [
    'rag_queries_total{kind="answer"',
    'rag_active_requests{kind="answer",service="generation"} 0',
    'headwater_generation_tokens_total{model="extractive",direction="output"',
    "headwater_generation_first_token_seconds_count{",
    "headwater_generation_unranked_total",
    'headwater_generation_answers_total{model="extractive",reason="refused",service="generation"} 0',
    'headwater_generation_tool_calls_total{model="extractive",outcome="failed",service="generation"} 0',
    'headwater_feedback_total{rating="down",service="generation"} 0',
    'headwater_jobs_open{kind="reindex",state="queued",service="generation"} 0',
    'headwater_jobs_oldest_queued_seconds{kind="reindex",service="generation"} 0',
  ]) {
    assert(metrics.includes(name), name);
  }
  const answers = (reason: string) =>
    Number(
      metrics
        .split(`answers_total{model="extractive",reason="${reason}",service="generation"} `)[1]
        ?.split("\n")[0],
    );
  assert(answers("complete") > 0 && answers("no_support") > 0, "the answers of the tests above");
});
