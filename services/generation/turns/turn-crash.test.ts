import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { ChatResponse } from "@headwater/proto/services/headwater/v1/conversation";
import { TurnEndReason } from "@headwater/proto/services/headwater/v1/conversation";
import type { ConversationHarness } from "../testing/conversation-harness.ts";
import {
  chat,
  endOf,
  resume,
  startConversationHarness,
  startOf,
  textOf,
} from "../testing/conversation-harness.ts";

let harness: ConversationHarness | undefined;
after(() => harness?.close());

test("a process that is killed in a turn leaves it to the next one to end, and the message stays", async () => {
  harness = await startConversationHarness();
  const { models } = harness;
  models.script = async (exchange) => {
    await exchange.text("The engine ");
    await exchange.text("was built ");
    // It never ends: the process is killed first.
  };
  const first = await harness.spawn();
  const seen: ChatResponse[] = [];
  const reading = (async () => {
    for await (const event of first.client.call.chat({ message: "Where was the engine built?" })) {
      seen.push(event);
      if (textOf(seen) === "The engine was built") break;
    }
  })();
  await reading;
  await first.kill();
  const { turnId, conversationId } = startOf(seen);
  const asked = models.requests.length;

  const second = await harness.spawn();
  const rest = await resume(second, turnId, seen.length);
  const [end] = rest.slice(-1);
  assert.equal(endOf(rest).reason, TurnEndReason.FAILED);
  assert.equal(endOf(rest).error?.reason, "HW_TURN_LOST");
  // What was read and not yet kept is not told again; the end still comes after all that was read.
  assert((end?.sequence ?? 0) > seen.length);
  assert.equal(models.requests.length, asked, "no model is asked again");
  const whole = await resume(second, turnId, 0);
  assert.deepEqual(whole.slice(0, -1), seen.slice(0, whole.length - 1));

  const { messages, activeTurnId } = await second.client.call.listMessages({ conversationId });
  assert.equal(activeTurnId, "");
  assert.equal(messages[0]?.text, "Where was the engine built?");
  assert.equal(messages[1]?.end?.error?.reason, "HW_TURN_LOST");
  models.script = async (exchange) => {
    await exchange.text("In Cornwall [1].");
    await exchange.finish();
  };
  const again = await chat(second, { conversationId, message: "Where was the engine built?" });
  assert.equal(endOf(again).reason, TurnEndReason.COMPLETE);
});
