import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "@headwater/testing";
import type { SeenEvent } from "../testing/fixture.ts";
import { eventsOf, failureOf, startFixture } from "../testing/fixture.ts";

const fixture = await startFixture();
const { conversations } = fixture.doubles;
const events = { accept: "text/event-stream" };

async function all(response: Response): Promise<SeenEvent[]> {
  assert.equal(response.status, 200);
  return Array.fromAsync(eventsOf(response));
}

interface Started {
  turn_id: string;
  conversation_id: string;
}

test("a turn as JSON is whole", async () => {
  const body = {
    message: "when?",
    filter: { media_types: ["text/plain"] },
    max_passages: 3,
    temperature: 0,
    skip_memory: true,
    agent_id: "agent-7",
  };
  const whole = (await (await fixture.post("/api/v1/chat", body, { "x-headwater-owner": "ada" })).json()) as {
    answer: string;
    citations: { claim: { end: number } }[];
    end_reason: string;
    conversation_id: string;
    prompt: object;
    usage: { cost: number };
  };
  assert.deepEqual(
    [whole.answer, whole.citations[0]?.claim.end, whole.end_reason, whole.prompt, whole.usage.cost],
    ["At new moon and full moon.", 26, "complete", { name: "chat", version: 2 }, 0.5],
  );
  const { chatRequest } = conversations;
  assert.deepEqual(
    [chatRequest?.owner, chatRequest?.temperature, chatRequest?.maxPassages, chatRequest?.skipMemory],
    ["ada", 0, 3, true],
  );
  const again = await fixture.post(
    "/api/v1/chat",
    { message: "and then?", conversation_id: whole.conversation_id },
    { "x-headwater-owner": "ada" },
  );
  assert.equal(((await again.json()) as Started).conversation_id, whole.conversation_id);
});

test("a turn as events has ids, and goes on after any of them without a second model call", async () => {
  const seen = await all(await fixture.post("/api/v1/chat", { message: "when?" }, events));
  assert.deepEqual(
    seen.map(({ event }) => event),
    ["started", "passages", "text", "text", "citation", "end"],
  );
  const [turn = ""] = (seen[0]?.id ?? "").split(":");
  assert.equal((seen[0]?.data as Started | undefined)?.turn_id, turn);
  assert.deepEqual(
    seen.map(({ id }) => id),
    [1, 2, 3, 4, 5, 6].map((sequence) => `${turn}:${sequence}`),
  );
  const calls = conversations.modelCalls;
  const after = (id: string) => ({ ...events, "last-event-id": id });
  const rest = [
    await fixture.post("/api/v1/chat", { message: "when?" }, after(`${turn}:2`)),
    await fetch(fixture.url("/api/v1/chat"), { headers: after(`${turn}:2`) }),
    await fetch(fixture.url(`/api/v1/chat/turns/${turn}`), { headers: after(`${turn}:2`) }),
    await fetch(fixture.url(`/api/v1/chat/turns/${turn}?after=2`), { headers: events }),
  ];
  for (const response of rest) assert.deepEqual(await all(response), seen.slice(2));
  const nothing = await fetch(fixture.url("/api/v1/chat"), { headers: after(`${turn}:6`) });
  assert.equal(nothing.status, 204);
  const whole = (await (await fetch(fixture.url(`/api/v1/chat/turns/${turn}`))).json()) as { answer: string };
  assert.equal(whole.answer, "At new moon and full moon.");
  assert.equal(conversations.modelCalls, calls);
});

test("what cannot be resumed is said clearly", async () => {
  const cases: [string, Record<string, string>, number, string][] = [
    ["/api/v1/chat", {}, 400, "HW_LAST_EVENT_ID_MISSING"],
    ["/api/v1/chat", { "last-event-id": "nonsense" }, 400, "HW_LAST_EVENT_ID_INVALID"],
    ["/api/v1/chat", { "last-event-id": "unknown:3" }, 404, "HW_TURN_NOT_FOUND"],
    ["/api/v1/chat/turns/unknown", events, 404, "HW_TURN_NOT_FOUND"],
    ["/api/v1/chat/turns/unknown?after=-1", events, 400, "HW_REQUEST_INVALID"],
  ];
  for (const [path, headers, status, reason] of cases) {
    const failure = await failureOf(await fetch(fixture.url(path), { headers }));
    assert.deepEqual([failure.status, failure.reason], [status, reason], path);
  }
  const seen = await all(await fixture.post("/api/v1/chat", { message: "when?" }, events));
  const foreign = { "last-event-id": seen[0]?.id ?? "", "x-headwater-owner": "somebody-else" };
  const failure = await failureOf(await fetch(fixture.url("/api/v1/chat"), { headers: foreign }));
  assert.equal(failure.reason, "HW_TURN_NOT_FOUND");
});

test("a turn that fails is an HTTP status as JSON, and an end with its reason as events", async () => {
  const failure = await failureOf(await fixture.post("/api/v1/chat", { message: "fail" }));
  assert.deepEqual([failure.status, failure.reason], [503, "HW_MODEL_DOWN"]);
  const last = (await all(await fixture.post("/api/v1/chat", { message: "fail" }, events))).at(-1);
  assert.equal(last?.event, "end");
  assert.match(JSON.stringify(last?.data), /"end_reason":"failed".*"reason":"HW_MODEL_DOWN"/);
  const busy = await fixture.post("/api/v1/chat", { message: "busy" }, events);
  assert.equal(busy.headers.get("retry-after"), "2");
  assert.equal((await failureOf(busy)).status, 503);
});

test("a stateless turn takes its history, has no ids, and ends when its reader leaves", async () => {
  const history = [{ role: "user", text: "Hello" }];
  const body = { message: "when?", stateless: true, history };
  const seen = await all(await fixture.post("/api/v1/chat", body, events));
  assert(seen.every(({ id }) => id === ""));
  assert.deepEqual(conversations.chatRequest?.history, [{ role: 1, text: "Hello" }]);
  const refused = await failureOf(await fixture.post("/api/v1/chat", { message: "when?", history }));
  assert.match(refused.message, /history/);
  const leaving = new AbortController();
  const response = await fetch(fixture.url("/api/v1/chat"), {
    method: "POST",
    headers: { "content-type": "application/json", ...events },
    body: JSON.stringify({ message: "endless", stateless: true }),
    signal: leaving.signal,
  });
  for await (const { event } of eventsOf(response)) if (event === "text") break;
  leaving.abort();
  const turn = conversations.turns.get(`turn-${conversations.modelCalls}`);
  await until("the turn's end", () => turn?.ended === true);
});

test("a turn goes on without its reader, until it is cancelled", async () => {
  const leaving = new AbortController();
  const response = await fetch(fixture.url("/api/v1/chat"), {
    method: "POST",
    headers: { "content-type": "application/json", ...events },
    body: JSON.stringify({ message: "endless" }),
    signal: leaving.signal,
  });
  let last = "";
  for await (const { event, id } of eventsOf(response)) {
    last = id;
    if (event === "text") break;
  }
  leaving.abort();
  const [turn = ""] = last.split(":");
  assert.equal((await fixture.send("POST", `/api/v1/chat/turns/${turn}/cancel`)).status, 200);
  const rest = await all(
    await fetch(fixture.url("/api/v1/chat"), { headers: { ...events, "last-event-id": last } }),
  );
  assert.match(JSON.stringify(rest.at(-1)?.data), /"end_reason":"cancelled"/);
});

test("a tool call waits for a decision", async () => {
  const seen: string[] = [];
  for await (const { event, data } of eventsOf(
    await fixture.post("/api/v1/chat", { message: "approve" }, events),
  )) {
    seen.push(event);
    if (event !== "approval") continue;
    const { call_id } = data as { call_id: string };
    const path = `/api/v1/chat/turns/turn-${conversations.modelCalls}/tool-calls/${call_id}`;
    assert.equal((await failureOf(await fixture.post(path, {}))).status, 400);
    assert.equal((await fixture.post(path, { approved: true })).status, 200);
    assert.equal((await failureOf(await fixture.post(path, { approved: true }))).status, 409);
  }
  assert.deepEqual(seen.slice(1, 5), ["thought", "tool_call", "approval", "tool_result"]);
  const path = `/api/v1/chat/turns/turn-${conversations.modelCalls}`;
  const whole = (await (await fetch(fixture.url(path))).json()) as { tool_steps: { result: object }[] };
  assert.deepEqual(whole.tool_steps[0]?.result, {
    ...{ call_id: "call-1", text: "2", failed: false, truncated: false, elapsed_ms: 3 },
  });
});

test("a gateway restarts in the middle of a turn: the reader goes on, nothing lost or doubled, one model call", async () => {
  const calls = conversations.modelCalls;
  const seen: SeenEvent[] = [];
  const failures: string[] = [];
  let gateway = fixture.gateway;
  let response = await fixture.post("/api/v1/chat", { message: "long" }, events);
  let restarts = 0;
  for (let tries = 0; seen.at(-1)?.event !== "end"; tries += 1) {
    assert(tries < 10, "the turn was never read to its end");
    for await (const event of eventsOf(response)) {
      if (event.event === "comment") continue;
      if (event.event === "error") {
        failures.push(JSON.stringify(event.data));
        continue;
      }
      seen.push(event);
      if (event.event === "text" && restarts < 2 && seen.length > 5 * (restarts + 1)) {
        restarts += 1;
        // Reading goes on while it drains, as a client's does.
        void gateway.close(2000);
      }
    }
    if (seen.at(-1)?.event === "end") break;
    gateway = await fixture.another();
    response = await fetch(`http://${gateway.address}/api/v1/chat`, {
      headers: { ...events, "last-event-id": seen.at(-1)?.id ?? "" },
    });
  }
  assert.equal(restarts, 2);
  assert.equal(failures.length, 2);
  for (const failure of failures) assert.match(failure, /HW_SERVER_DRAINING/);
  assert.deepEqual(
    seen.map(({ data }) => (data as { sequence: number }).sequence),
    seen.map((_, index) => index + 1),
  );
  assert.equal(seen.filter(({ event }) => event === "text").length, 42);
  assert.equal(conversations.modelCalls, calls + 1);
});
