import assert from "node:assert/strict";
import { test } from "node:test";
import { failureOf, startFixture } from "../testing/fixture.ts";

const fixture = await startFixture();
const ada = { "x-headwater-owner": "ada" };

async function json<T>(response: Response, status = 200): Promise<T> {
  assert.equal(response.status, status);
  return (await response.json()) as T;
}

interface Conversation {
  id: string;
  title: string;
  message_count: number;
  forked_from: string;
}

test("a conversation is made, talked in, renamed, copied, exported and deleted by its owner alone", async () => {
  const made = await json<Conversation>(
    await fixture.send("POST", "/api/v1/conversations", { title: "Tides", agent_id: "agent-1" }, ada),
    201,
  );
  const path = `/api/v1/conversations/${made.id}`;
  await json(await fixture.send("POST", "/api/v1/chat", { message: "when?", conversation_id: made.id }, ada));
  const { messages, active_turn_id } = await json<{
    messages: { id: string; role: string; citations: [] }[];
    active_turn_id: string;
  }>(await fixture.send("GET", `${path}/messages?page_size=10`, undefined, ada));
  assert.deepEqual([messages.map(({ role }) => role), active_turn_id], [["user", "assistant"], ""]);
  const renamed = await json<Conversation>(await fixture.send("PATCH", path, { title: "Sea" }, ada));
  assert.deepEqual([renamed.title, renamed.message_count], ["Sea", 2]);
  const fork = await json<Conversation>(
    await fixture.send("POST", `${path}/fork`, { message_id: messages[0]?.id }, ada),
    201,
  );
  assert.deepEqual([fork.forked_from, fork.message_count, fork.title], [made.id, 1, "Sea"]);
  const exported = await json<{ messages: unknown[] }>(
    await fixture.send("GET", `${path}/export`, undefined, ada),
  );
  assert.equal(exported.messages.length, 2);
  const other = await failureOf(await fixture.send("GET", path, undefined, { "x-headwater-owner": "bob" }));
  assert.deepEqual([other.status, other.reason], [404, "HW_CONVERSATION_NOT_FOUND"]);
  await json(await fixture.send("DELETE", path, undefined, ada));
  const { conversations } = await json<{ conversations: Conversation[] }>(
    await fixture.send("GET", "/api/v1/conversations", undefined, ada),
  );
  assert.deepEqual(
    conversations.map(({ id }) => id),
    [fork.id],
  );
});

test("mistakes are told before generation is asked", async () => {
  const cases: [string, string, unknown][] = [
    ["POST", "/api/v1/conversations", { title: "x".repeat(257) }],
    ["POST", "/api/v1/conversations", { name: "x" }],
    ["PATCH", "/api/v1/conversations/a", { title: "" }],
    ["GET", "/api/v1/conversations?page_size=201", undefined],
    ["GET", "/api/v1/conversations/a/messages?page_size=x", undefined],
  ];
  for (const [method, path, body] of cases) {
    const failure = await failureOf(await fixture.send(method, path, body));
    assert.deepEqual([failure.status, failure.reason], [400, "HW_REQUEST_INVALID"], path);
  }
});
