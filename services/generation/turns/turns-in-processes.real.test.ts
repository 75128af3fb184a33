import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import type { ChatResponse } from "@headwater/proto/services/headwater/v1/conversation";
import { TurnEndReason } from "@headwater/proto/services/headwater/v1/conversation";
import type { RecordStore } from "@headwater/record-store";
import { openRecordStore, recordStoreSettings } from "@headwater/record-store";
import { readSettings } from "@headwater/settings";
import { realServer, until } from "@headwater/testing";
import type { ConversationHarness } from "../testing/conversation-harness.ts";
import {
  chat,
  endOf,
  resume,
  startConversationHarness,
  startOf,
  textOf,
} from "../testing/conversation-harness.ts";
import { ownDatabases } from "../testing/own-database.ts";
import { openTurnWorld, somebody } from "../testing/turn-world.ts";
import { runningTurnsSuite } from "./running-turns-suite.ts";
import type { RunTurn, StepEvent } from "./turn.ts";

const url = realServer("POSTGRES_URL");
if (url !== undefined) suite(url);

function suite(server: string): void {
  const openDatabase = ownDatabases(server);
  const openRecords = async (settings: Record<string, string>): Promise<RecordStore> =>
    await openRecordStore(readSettings(recordStoreSettings, settings), {
      ...{ folder: "/nowhere", schema: "generation" },
    });
  runningTurnsSuite("PostgreSQL", async () => await openRecords(await openDatabase()));

  describe("turns in several processes on one PostgreSQL", () => {
    let harness: ConversationHarness;
    before(async () => {
      harness = await startConversationHarness({
        ...(await openDatabase()),
        HEADWATER_GENERATION_TURN_LEASE_MS: "3000",
        HEADWATER_GENERATION_TURN_GRACE_MS: "3000",
      });
    });
    after(() => harness.close());

    test("a turn of one process is followed live in another, for longer than its grace", async () => {
      const [one, other] = [await harness.start(), await harness.start()];
      const asked = harness.models.requests.length;
      const said = 12;
      harness.models.script = async (exchange) => {
        for (let piece = 0; piece < said; piece += 1) {
          await exchange.text(`word ${piece} `);
          await new Promise((done) => setTimeout(done, 500));
        }
        await exchange.finish();
      };
      const seen: ChatResponse[] = [];
      for await (const event of one.client.call.chat({ message: "Where was the engine built?" })) {
        seen.push(event);
        break;
      }
      const { turnId } = startOf(seen);
      let live = false;
      for await (const { event } of other.client.call.resumeTurn({ turnId, afterSequence: 1 })) {
        if (!event) continue;
        seen.push(event);
        if (event.event?.$case === "text" && seen.length < said) live = true;
      }
      assert(live);
      assert.equal(endOf(seen).reason, TurnEndReason.COMPLETE, "its readers elsewhere count");
      assert.deepEqual(await resume(one, turnId, 0), seen);
      assert.deepEqual(
        seen.map(({ sequence }) => sequence),
        seen.map((_, index) => index + 1),
      );
      assert.equal(harness.models.requests.length, asked + 1);
    });

    test("any process cancels a turn, knows that its conversation is taken, and repeats it by its key", async () => {
      const [one, other] = [await harness.start(), await harness.start()];
      harness.models.script = async (exchange) => {
        await exchange.text("The engine ");
        await once(exchange.left, "abort");
      };
      const seen: ChatResponse[] = [];
      const idempotencyKey = randomUUID();
      const request = { message: "Where was the engine built?", idempotencyKey };
      let repeated: Promise<ChatResponse[]> | undefined;
      for await (const event of one.client.call.chat(request)) {
        seen.push(event);
        if (event.event?.$case !== "text") continue;
        const { turnId, conversationId } = startOf(seen);
        await assert.rejects(chat(other, { conversationId, message: "And when?" }), {
          reason: "HW_TURN_ACTIVE",
        });
        repeated = chat(other, request);
        await other.client.call.cancelTurn({ turnId });
      }
      assert.equal(endOf(seen).reason, TurnEndReason.CANCELLED);
      assert.deepEqual(await repeated, seen);
    });

    test("a tool call is decided on in another process than the one that waits", async () => {
      const settings = await openDatabase();
      const stores = [await openRecords(settings), await openRecords(settings)] as const;
      const [one, other] = [await openTurnWorld(stores[0]), await openTurnWorld(stores[1])];
      const deadline = new Date(Date.now() + 3_600_000);
      const asking: RunTurn = async function* run(_, context): AsyncGenerator<StepEvent> {
        yield { step: 1, event: { $case: "approval", value: { callId: "call", deadline } } };
        const text = String(await context.waitForApproval("call", deadline));
        yield { step: 1, event: { $case: "text", value: { text } } };
        yield { step: 0, event: { $case: "end", value: { steps: 1 } } };
      };
      const turnId = await one.begin(asking);
      const seen: ChatResponse[] = [];
      for await (const event of other.turns.read(somebody, turnId, 0, new AbortController().signal)) {
        seen.push(event);
        if (event.event?.$case === "approval") await other.turns.decide(somebody, turnId, "call", true);
      }
      assert.equal(textOf(seen), "true");
      for (const world of [one, other]) {
        await world.turns.close();
        assert.deepEqual(world.errors, []);
      }
      for (const store of stores) await store.close();
    });

    test("a process that is killed in a turn: those who follow it elsewhere are told, and it can be sent again", async () => {
      const doomed = await harness.spawn();
      const other = await harness.start();
      harness.models.script = async (exchange) => {
        await exchange.text("The engine ");
        await exchange.text("was built ");
      };
      const seen: ChatResponse[] = [];
      for await (const event of doomed.client.call.chat({ message: "Where was the engine built?" })) {
        seen.push(event);
        if (textOf(seen) === "The engine was built") break;
      }
      const { turnId, conversationId } = startOf(seen);
      const following = resume(other, turnId, 0);
      const resumed = resume(other, turnId, seen.length);
      await doomed.kill();
      assert.equal(endOf(await following).error?.reason, "HW_TURN_LOST");
      const rest = await resumed;
      assert.equal(endOf(rest).error?.reason, "HW_TURN_LOST");
      assert((rest.at(-1)?.sequence ?? 0) > seen.length);
      harness.models.script = async (exchange) => {
        await exchange.text("In Cornwall [1].");
        await exchange.finish();
      };
      const again = await chat(other, { conversationId, message: "Where was the engine built?" });
      assert.equal(endOf(again).reason, TurnEndReason.COMPLETE);
      await until("its lease is forgotten", async () => {
        const { messages } = await other.client.call.listMessages({ conversationId });
        return messages.length === 4;
      });
    });
  });
}
