import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { ModelRequest } from "@headwater/language-model";
import { TurnEndReason } from "@headwater/proto/services/headwater/v1/conversation";
import type { Ran, Said } from "../testing/agent-harness.ts";
import { createScriptedModel, createSearchDouble, createTool, runAgent } from "../testing/agent-harness.ts";

const documents = {
  pumps: "The pump of Haarlem lifts 40 cubic metres a minute.",
  wells: "The well of Ouarzazate is 60 metres deep.",
};
const search = createSearchDouble(documents);
const echo = createTool("echo", async ({ query }) => ({ text: `Echo: ${String(query)}`, failed: false }));

const casesOf = ({ events }: Ran) => events.map(({ step, event }) => `${step} ${event.$case}`);
const resultsOf = ({ events }: Ran) =>
  events.flatMap(({ event }) => (event.$case === "toolResult" ? [event.value] : []));
const callOf = (query: string, tool = "search"): Said => ({ call: tool, input: { query } });
/** What the model reads of the results, last first. */
const lastRead = (request: ModelRequest | undefined) => request?.messages.at(-1)?.text ?? "";

test("thoughts, calls, passages, results, then the answer with its citations: each step streams", async () => {
  const model = createScriptedModel([
    ["Let me ", "look.", callOf("Haarlem"), callOf("Ouarzazate")],
    ["Final", " Answer: The pump lifts 40 cubic metres [1", "]. The well is 60 metres deep [2]."],
  ]);
  const ran = await runAgent({ model, tools: [search] });
  assert.deepEqual(casesOf(ran), [
    ...["1 thought", "1 toolCall", "1 toolCall", "1 passages", "1 passages", "1 toolResult", "1 toolResult"],
    ...["2 text", "2 text", "2 citation", "2 text", "2 citation", "2 end"],
  ]);
  assert.equal(ran.thoughts, "Let me look.");
  assert.equal(ran.text, "The pump lifts 40 cubic metres [1]. The well is 60 metres deep [2].");
  const citations = ran.events.flatMap(({ event }) => (event.$case === "citation" ? [event.value] : []));
  assert.deepEqual(
    citations.map(({ source, document, quote }) => [source, document?.id, quote]),
    [
      [1, "pumps", documents.pumps],
      [2, "wells", documents.wells],
    ],
  );
  assert.deepEqual(
    [ran.end.reason, ran.end.steps, ran.end.usage, ran.end.model],
    [TurnEndReason.COMPLETE, 2, { inputTokens: 200, outputTokens: 20, cost: 0 }, "scripted"],
  );
});

test("an answer is streamed a token at a time; without its label it comes whole, and never as a thought", async () => {
  const labelled = createScriptedModel([["Final Answer:", " It", " is", " so", "."]]);
  const texts = (ran: Ran) =>
    ran.events.flatMap(({ event }) => (event.$case === "text" ? [event.value.text] : []));
  assert.deepEqual(texts(await runAgent({ model: labelled, tools: [echo] })), ["It", " is", " so."]);
  const plain = createScriptedModel([["It", " is", " so", "."]]);
  const ran = await runAgent({ model: plain, tools: [echo] });
  assert.deepEqual([ran.text, ran.thoughts], ["It is so.", ""]);
});

test("what tools say reaches the model quoted, numbered over the whole turn, and so does their failure", async () => {
  const model = createScriptedModel([[callOf("Haarlem")], [callOf("metres")], ["Final Answer: Yes [2]."]]);
  await runAgent({ model, tools: [search] });
  const boundary = /carry the number (\w+)/.exec(model.requests[0]?.messages[0]?.text ?? "")?.[1];
  assert.equal(
    lastRead(model.requests[2]),
    `<<<RESULT ${boundary}>>>\n> Source 1.\n> | ${documents.pumps}\n>\n> Source 2.\n> | ${documents.wells}\n<<<END RESULT ${boundary}>>>`,
  );
});

test("unknown tools, malformed and wrong arguments, tools that throw or hang are told to the model", async () => {
  const throwing = createTool("throwing", async () => {
    throw new Error("secret detail");
  });
  const hanging = createTool("hanging", () => new Promise(() => {}));
  const model = createScriptedModel([
    [
      callOf("x", "nothing"),
      { call: "echo", input: '{"query": ' },
      { call: "echo", input: { query: 5, more: true } },
      callOf("x", "throwing"),
      callOf("x", "hanging"),
      { call: "echo", input: '```json\n{"query": "fenced",}\n```' },
    ],
  ]);
  const ran = await runAgent({ model, tools: [echo, throwing, hanging], toolTimeoutMs: 100 });
  assert.deepEqual(
    resultsOf(ran).map(({ failed, text }) => [failed, (text ?? "").slice(0, 60)]),
    [
      [true, "There is no tool of that name. There are: echo, hanging, thr"],
      [true, "The arguments of echo are no JSON object. Write one that fol"],
      [true, "The arguments of echo are not valid: the object must NOT hav"],
      [true, "The tool failed: Something went wrong inside Headwater. Look"],
      [true, "The tool did not answer within 100 ms."],
      [false, "Echo: fenced"],
    ],
  );
  assert.doesNotMatch(JSON.stringify(ran.events), /secret detail/);
});

test("calls of one step run side by side, at most four at once, and their results keep their order", async () => {
  let running = 0;
  let most = 0;
  const slow = createTool("slow", async ({ query }) => {
    running += 1;
    most = Math.max(most, running);
    await delay(query === "0" ? 80 : 20);
    running -= 1;
    return { text: String(query), failed: false };
  });
  const model = createScriptedModel([[0, 1, 2, 3, 4, 5].map((number) => callOf(String(number), "slow"))]);
  const ran = await runAgent({ model, tools: [slow] });
  assert.deepEqual(
    resultsOf(ran).map(({ text }) => text),
    ["0", "1", "2", "3", "4", "5"],
  );
  assert.equal(most, 4);
});

test("an over-long result is cut, and the model and the reader are told", async () => {
  const long = createTool("long", async () => ({ text: "word ".repeat(20_000), failed: false }));
  const model = createScriptedModel([[callOf("x", "long")]], { contextTokens: 8000 });
  const ran = await runAgent({ model, tools: [long] });
  const [result] = resultsOf(ran);
  assert(result?.truncated && (result.text ?? "").length < 10_000);
  assert.match(lastRead(model.requests[1]), /The result was longer than you are given/);
});

test("old results are shortened when the model's context would overflow; the newest stays whole", async () => {
  const big = createTool("big", async ({ query }) => ({
    text: `${String(query)} `.repeat(900).trim(),
    failed: false,
  }));
  const queries = ["alpha", "bravo", "charlie", "delta"];
  const model = createScriptedModel(
    queries.map((query) => [callOf(query, "big")]),
    { contextTokens: 6000 },
  );
  await runAgent({ model, tools: [big] });
  const read = model.requests[4]?.messages.filter(({ role }) => role === "tool") ?? [];
  assert.equal(read.length, 4);
  assert.match(read[0]?.text ?? "", /Shortened to make room/);
  assert.doesNotMatch(read[3]?.text ?? "", /Shortened/);
});

for (const [name, limits, reason] of [
  ["steps", { maxSteps: 3 }, TurnEndReason.STEP_LIMIT],
  ["tokens", { maxTokens: 4000 }, TurnEndReason.TOKEN_LIMIT],
  ["cost", { maxCost: 0.5 }, TurnEndReason.COST_LIMIT],
] as const) {
  test(`the limit of ${name}: one last call without tools answers from what is there`, async () => {
    let calls = 0;
    const model = createScriptedModel(
      Array.from(
        { length: 20 },
        () =>
          async function* (request: ModelRequest) {
            calls += 1;
            if (request.tools) yield callOf(`query ${calls}`, "echo");
            else yield "As far as I know, it is so.";
          },
      ),
      { usage: { inputTokens: 500, outputTokens: 50, cost: 0.1 } },
    );
    const ran = await runAgent({ model, tools: [echo], agent: { limits }, turn: { maxOutputTokens: 128 } });
    assert.equal(ran.end.reason, reason);
    assert.equal(ran.text, "As far as I know, it is so.");
    assert.match(lastRead(model.requests.at(-1)), /^The limit of \w+ is reached\. No more tools/);
    const { usage, steps } = ran.end;
    assert(steps <= (("maxSteps" in limits && limits.maxSteps) || 20) && steps > 1);
    if (name === "tokens") assert((usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0) <= 4000);
    if (name === "cost") assert((usage?.cost ?? 0) <= 0.5 + 1e-9);
  });
}

test("a limit that leaves no room for a last call ends the turn, and says so", async () => {
  const model = createScriptedModel([]);
  const ran = await runAgent({ model, tools: [echo], agent: { limits: { maxTokens: 100 } } });
  assert.deepEqual(
    [ran.end.reason, ran.text, model.requests.length],
    [TurnEndReason.TOKEN_LIMIT, "There is no answer. The limit of tokens is reached.", 0],
  );
});

test("the limit of time breaks off what is under way, and leaves a share for the last answer", async () => {
  const hanging = createTool("hanging", () => new Promise(() => {}));
  const model = createScriptedModel([[callOf("x", "hanging")], ["It is not known."]]);
  const ran = await runAgent({ model, tools: [hanging], agent: { limits: { maxSeconds: 3 } } });
  assert.deepEqual([ran.end.reason, ran.text], [TurnEndReason.TIME_LIMIT, "It is not known."]);
  const silent = createScriptedModel([
    async function* (_, signal) {
      await delay(60_000, undefined, { signal });
      yield "never";
    },
    async function* (_, signal) {
      yield "It begins";
      await delay(60_000, undefined, { signal });
    },
  ]);
  const cut = await runAgent({ model: silent, tools: [echo], agent: { limits: { maxSeconds: 3 } } });
  assert.deepEqual([cut.end.reason, cut.text], [TurnEndReason.TIME_LIMIT, "It begins"]);
});

test("the same call a third time is told to the model; where it goes on, the turn ends as a loop", async () => {
  const model = createScriptedModel([
    ...[1, 2, 3, 4].map(() => [{ call: "echo", input: { query: "same" } }]),
    ["I cannot find out."],
  ]);
  const ran = await runAgent({ model, tools: [echo] });
  assert.deepEqual(
    resultsOf(ran).map(({ failed }) => failed),
    [false, false, true, true],
  );
  assert.match(resultsOf(ran)[2]?.text ?? "", /This call was made before, with the same result/);
  assert.deepEqual([ran.end.reason, ran.text], [TurnEndReason.LOOP, "I cannot find out."]);
});

test("two calls that take turns are a loop; a call that brings something new each time is none", async () => {
  const turns = ["a", "b", "a", "b", "a"].map((query) => [callOf(query, "echo")]);
  const alternating = await runAgent({ model: createScriptedModel([...turns, ["No."]]), tools: [echo] });
  assert.equal(alternating.end.reason, TurnEndReason.LOOP);
  assert.equal(
    resultsOf(alternating).findIndex(({ failed }) => failed),
    3,
  );
  let count = 0;
  const counter = createTool("counter", async () => {
    count += 1;
    return { text: String(count), failed: false };
  });
  const watching = [1, 2, 3, 4, 5].map(() => [callOf("x", "counter")]);
  const watched = await runAgent({
    model: createScriptedModel([...watching, ["Final Answer: five"]]),
    tools: [counter],
  });
  assert.deepEqual([watched.end.reason, count], [TurnEndReason.COMPLETE, 5]);
});

test("a call that needs approval waits for it, outside of the time, and runs only when it was given", async () => {
  let runs = 0;
  const send = createTool(
    "send",
    async () => {
      runs += 1;
      return { text: "sent", failed: false };
    },
    { needsApproval: true },
  );
  for (const approved of [true, false]) {
    runs = 0;
    const asked: string[] = [];
    const model = createScriptedModel([[callOf("x", "send")], ["Final Answer: Done."]]);
    const ran = await runAgent({
      model,
      tools: [send],
      agent: { limits: { maxSeconds: 2 } },
      waitForApproval: async (callId, deadline) => {
        asked.push(callId);
        assert(deadline.getTime() > Date.now());
        await delay(2200);
        return approved;
      },
    });
    assert.deepEqual(casesOf(ran).slice(0, 3), ["1 toolCall", "1 approval", "1 toolResult"]);
    assert.deepEqual([runs, asked.length, ran.end.reason], [approved ? 1 : 0, 1, TurnEndReason.COMPLETE]);
    assert.match(resultsOf(ran)[0]?.text ?? "", approved ? /^sent$/ : /did not approve/);
  }
});

test("an agent may ask for approval where the tool does not", async () => {
  const model = createScriptedModel([[callOf("x", "echo")], ["Final Answer: Done."]]);
  const ran = await runAgent({
    model,
    tools: [echo],
    agent: { tools: [{ name: "ec*", needsApproval: true }] },
  });
  assert.equal(resultsOf(ran)[0]?.failed, true);
});

test("calls beside an answer are not run; an answer that was begun is not taken back", async () => {
  let runs = 0;
  const counted = createTool("counted", async () => {
    runs += 1;
    return { text: "", failed: false };
  });
  const model = createScriptedModel([["Final Answer: It is so.", callOf("x", "counted")]]);
  const ran = await runAgent({ model, tools: [counted] });
  assert.deepEqual([ran.text, runs, ran.end.reason], ["It is so.", 0, TurnEndReason.COMPLETE]);
  assert.match(resultsOf(ran)[0]?.text ?? "", /^Not run/);
});

test("a step without a call or an answer is told to the model, twice; then it has to answer", async () => {
  const model = createScriptedModel([[], ["\n"], [" "], ["At last."]]);
  const ran = await runAgent({ model, tools: [echo] });
  assert.deepEqual([ran.text, ran.end.steps], ["At last.", 4]);
  assert.match(lastRead(model.requests[1]), /neither a call of a tool nor an answer/);
});

test("links that may not get out are taken from answers and thoughts", async () => {
  const model = createScriptedModel([
    ["See https://evil.example/?q=1 ", callOf("Haarlem")],
    ["Final Answer: ![x](https://evil", ".example/?q=secret) see https://source.example/pumps [1]."],
  ]);
  const ran = await runAgent({ model, tools: [search] });
  assert.equal(ran.thoughts, "See (link removed) ");
  assert.equal(ran.text, "![x] (link removed) see https://source.example/pumps [1].");
});

test("a cancelled turn ends at once, and so do its tools", async () => {
  const cancel = new AbortController();
  let left = false;
  const waiting = createTool("waiting", async (_, { signal }) => {
    signal.addEventListener("abort", () => {
      left = true;
    });
    cancel.abort();
    return await new Promise(() => {});
  });
  const model = createScriptedModel([[callOf("x", "waiting")]]);
  await assert.rejects(runAgent({ model, tools: [waiting], signal: cancel.signal }), { name: "AbortError" });
  assert(left);
});

test("the text protocol: the same steps, from text alone, stopped before the model makes up a result", async () => {
  const model = createScriptedModel(
    [
      ["Thought: I look", ' it up.\nAction: search\nAction Input: {"query": "Haarlem"}\n'],
      ["Thought: Now I know.\nFinal Answer: It lifts 40 cubic metres [1]."],
    ],
    { toolCalling: "text" },
  );
  const ran = await runAgent({ model, tools: [search] });
  assert.deepEqual(casesOf(ran), [
    ...["1 thought", "1 thought", "1 toolCall", "1 passages", "1 toolResult"],
    ...["2 thought", "2 text", "2 text", "2 citation", "2 end"],
  ]);
  assert.equal(ran.text, "It lifts 40 cubic metres [1].");
  const [first, second] = model.requests;
  assert.deepEqual([first?.tools, first?.stopSequences], [undefined, ["\nObservation:"]]);
  assert.match(first?.messages[0]?.text ?? "", /- search: The tool search\.\n {2}\{"type":"object"/);
  assert.match(lastRead(second), /^Observation from search:\n<<<RESULT \w+>>>\n> Source 1/);
});
