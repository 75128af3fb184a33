import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import type { ChatEvent, HeadwaterClient } from "@headwater/client";
import { Code, createHeadwaterClient, HeadwaterClientError } from "@headwater/client";
import type { NodeTransport } from "@headwater/client/node";
import { createNodeTransport } from "@headwater/client/node";
import type { ServiceDoubles } from "@headwater/testing/service-doubles";
import { startServiceDoubles } from "@headwater/testing/service-doubles";

let doubles: ServiceDoubles;
let transport: NodeTransport;
let client: HeadwaterClient;

before(async () => {
  doubles = await startServiceDoubles();
  transport = createNodeTransport({ address: doubles.generation.address });
  client = createHeadwaterClient({ transport, tenant: "acme", owner: "ada" });
});
beforeEach(() => {
  doubles.conversations.modelCalls = 0;
});
after(async () => {
  transport.close();
  await doubles.close();
});

async function all(events: AsyncIterable<ChatEvent>): Promise<ChatEvent[]> {
  return Array.fromAsync(events);
}

test("a turn yields typed events from its start to its end", async () => {
  const events = await all(
    client.chat("when?", {
      stateless: true,
      history: [{ role: "assistant", text: "Ask me." }],
      temperature: 0,
    }),
  );
  assert.deepEqual(
    events.map(({ type }) => type),
    ["started", "passages", "text", "text", "citation", "end"],
  );
  assert.deepEqual(
    events.map(({ sequence }) => sequence),
    [1, 2, 3, 4, 5, 6],
  );
  const end = events.at(-1);
  assert(end?.type === "end");
  assert.deepEqual(
    [end.reason, end.usage.cost, end.prompt, end.error],
    ["complete", 0.5, { name: "chat", version: 2 }, undefined],
  );
  const { chatRequest } = doubles.conversations;
  assert.deepEqual(
    [chatRequest?.tenant, chatRequest?.owner, chatRequest?.temperature, chatRequest?.history],
    ["acme", "ada", 0, [{ role: 2, text: "Ask me." }]],
  );
});

test("a turn that is cut off is gone on with, no event lost or doubled, and no second model call", async () => {
  const events = await all(client.chat("drop"));
  assert.deepEqual(
    events.map(({ sequence }) => sequence),
    [1, 2, 3, 4, 5, 6],
  );
  assert.equal(doubles.conversations.modelCalls, 1);
});

test("without reconnects a turn that is cut off says so, and can be resumed by hand", async () => {
  const seen: ChatEvent[] = [];
  await assert.rejects(
    async () => {
      for await (const event of client.chat("drop", { reconnects: 0 })) seen.push(event);
    },
    (thrown: unknown) => thrown instanceof HeadwaterClientError && thrown.reason === "HW_TURN_CUT_OFF",
  );
  const [started] = seen;
  assert(started?.type === "started");
  const rest = await all(client.turns.resume(started.turnId, { after: 2 }));
  assert.deepEqual(
    rest.map(({ sequence }) => sequence),
    [3, 4, 5, 6],
  );
  const nobody = client.turns.resume("turn-unknown");
  await assert.rejects(all(nobody), { code: Code.NotFound, reason: "HW_TURN_NOT_FOUND" });
});

test("a tool call waits for a decision, and both can be read afterwards", async () => {
  const types: string[] = [];
  for await (const event of client.chat("approve")) {
    types.push(`${event.step} ${event.type}`);
    if (event.type === "approval") await client.turns.decide("turn-1", event.callId, true);
    if (event.type === "tool_result") assert.deepEqual([event.text, event.failed], ["2", false]);
  }
  assert.deepEqual(types.slice(1, 5), ["1 thought", "1 tool_call", "1 approval", "1 tool_result"]);
  await assert.rejects(client.turns.decide("turn-1", "call-1", true), { code: Code.FailedPrecondition });
});

test("a reader who leaves does not end a turn, cancelling does, and leaving a stateless one does", async () => {
  for await (const event of client.chat("endless")) if (event.type === "text") break;
  const turn = doubles.conversations.turns.get("turn-1");
  assert.equal(turn?.ended, false);
  await client.turns.cancel("turn-1");
  const end = (await all(client.turns.resume("turn-1", { after: 3 }))).at(-1);
  assert(end?.type === "end" && end.reason === "cancelled");
  for await (const event of client.chat("endless", { stateless: true })) if (event.type === "text") break;
  const stateless = doubles.conversations.turns.get("turn-2");
  for await (const _ of stateless?.follow(0, AbortSignal.timeout(30_000)) ?? []);
  assert.equal(stateless?.ended, true);
});

test("a caller who leaves while waiting to connect again hears of it, and of nothing else", async () => {
  const lonely = createNodeTransport({ address: "127.0.0.1:1" });
  const leaving = new AbortController();
  const waiting = all(
    createHeadwaterClient({ transport: lonely }).turns.resume("turn-1", { signal: leaving.signal }),
  );
  setTimeout(() => leaving.abort(), 50);
  await assert.rejects(waiting, { code: Code.Canceled, reason: "HW_CANCELLED" });
  lonely.close();
});

test("conversations are kept for their owner", async () => {
  const made = await client.conversations.create({ title: "Tides", agentId: "agent-1" });
  await all(client.chat("when?", { conversationId: made.id }));
  const { messages } = await client.conversations.messages(made.id);
  assert.deepEqual(
    messages.map(({ role, text }) => [role, text]),
    [
      ["user", "when?"],
      ["assistant", "At new moon and full moon."],
    ],
  );
  assert.equal((await client.conversations.rename(made.id, "Sea")).title, "Sea");
  const fork = await client.conversations.fork(made.id, { messageId: messages[0]?.id ?? "" });
  assert.deepEqual([fork.forkedFrom, fork.messageCount], [made.id, 1]);
  assert.equal((await client.conversations.export(fork.id)).messages.length, 1);
  const other = client.conversations.get(made.id, { owner: "bob" });
  await assert.rejects(other, { code: Code.NotFound, reason: "HW_CONVERSATION_NOT_FOUND" });
  await client.conversations.delete(made.id);
  const { conversations } = await client.conversations.list();
  assert(!conversations.some(({ id }) => id === made.id));
});
