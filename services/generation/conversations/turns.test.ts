import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { TurnEndReason } from "@headwater/proto/services/headwater/v1/conversation";
import type { ConversationHarness, ConversationServer } from "../testing/conversation-harness.ts";
import {
  chat,
  endOf,
  resume,
  startConversationHarness,
  startOf,
  textOf,
} from "../testing/conversation-harness.ts";

let harness: ConversationHarness;
let server: ConversationServer;

before(async () => {
  harness = await startConversationHarness();
  server = await harness.start();
});
after(() => harness.close());

test("a turn is streamed, kept as two messages, and streamed again without a model", async () => {
  harness.models.script = async (exchange) => {
    await exchange.text("The engine was built in Cornwall [1].");
    await exchange.finish("stop", { prompt_tokens: 100, completion_tokens: 9 });
  };
  const asked = harness.models.requests.length;
  const events = await chat(server, { message: "Where was the engine built?" });
  assert.deepEqual(
    events.map(({ event }) => event?.$case),
    ["started", "passages", "text", "citation", "end"],
  );
  assert.deepEqual(
    events.map(({ sequence }) => sequence),
    [1, 2, 3, 4, 5],
  );
  const { turnId, conversationId, messageId, standaloneQuestion } = startOf(events);
  assert.equal(standaloneQuestion, "");
  assert.equal(endOf(events).reason, TurnEndReason.COMPLETE);
  assert.deepEqual(endOf(events).usage, { inputTokens: 100, outputTokens: 9, cost: 0 });

  const { messages, activeTurnId } = await server.client.call.listMessages({ conversationId });
  assert.equal(activeTurnId, "");
  assert.deepEqual(
    messages.map(({ text, turnId: turn }) => [text, turn]),
    [
      ["Where was the engine built?", turnId],
      [textOf(events), turnId],
    ],
  );
  const [, answer] = messages;
  assert(answer);
  assert.equal(answer.id, messageId);
  assert.equal(answer.citations[0]?.quote, "The engine was built in Cornwall.");
  assert.deepEqual(answer.end, endOf(events));
  const { conversation } = await server.client.call.getConversation({ id: conversationId });
  assert.deepEqual([conversation?.title, conversation?.messageCount], ["Where was the engine built?", 2]);

  for (const after of [0, 1, 2, 3, 4, 5])
    assert.deepEqual(await resume(server, turnId, after), events.slice(after));
  assert.equal(harness.models.requests.length, asked + 1);
});
