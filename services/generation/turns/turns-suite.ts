import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { after, before, beforeEach, describe, test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import type { Exchange } from "@headwater/language-model/scripted-model-server";
import type { ChatResponse } from "@headwater/proto/services/headwater/v1/conversation";
import { TurnEndReason } from "@headwater/proto/services/headwater/v1/conversation";
import { until } from "@headwater/testing";
import type { ConversationHarness, ConversationServer } from "../testing/conversation-harness.ts";
import {
  chat,
  endOf,
  resume,
  startConversationHarness,
  startOf,
  textOf,
} from "../testing/conversation-harness.ts";

/** What turns have to do wherever their records are. */
export function turnsSuite(name: string, openSettings: () => Promise<Record<string, string>>): void {
  describe(`turns: ${name}`, () => {
    let harness: ConversationHarness;
    let server: ConversationServer;
    const answered = async (exchange: Exchange) => {
      await exchange.text("The engine was built in Cornwall [1].");
      await exchange.finish("stop", { prompt_tokens: 100, completion_tokens: 9 });
    };

    before(async () => {
      harness = await startConversationHarness({
        HEADWATER_GENERATION_TURN_GRACE_MS: "1000",
        HEADWATER_GENERATION_MAX_ANSWERS: "20",
        ...(await openSettings()),
      });
      server = await harness.start();
    });
    beforeEach(() => {
      harness.models.script = answered;
    });
    after(() => harness.close());

    test("a turn is streamed, kept as two messages, and streamed again without a model", async () => {
      const asked = harness.models.requests.length;
      const events = await chat(server, { message: "Where was the engine built?" });
      assert.deepEqual(
        events.map(({ sequence, event }) => `${sequence} ${event?.$case}`),
        ["1 started", "2 passages", "3 text", "4 citation", "5 end"],
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

    test("a reader who leaves at any event goes on from there, in the turn and after it", async () => {
      const pieces = ["The engine ", "was built ", "in Cornwall [1]. ", "It is ", "old [1]."];
      const asked = harness.models.requests.length;
      for (let leaveAfter = 1; leaveAfter <= 5; leaveAfter += 1) {
        const gate = Promise.withResolvers<void>();
        harness.models.script = async (exchange) => {
          await exchange.text(pieces[0] ?? "");
          await gate.promise;
          for (const piece of pieces.slice(1)) await exchange.text(piece);
          await exchange.finish();
        };
        const seen: ChatResponse[] = [];
        if (leaveAfter > 3) gate.resolve();
        for await (const event of server.client.call.chat({ message: "Where was the engine built?" })) {
          seen.push(event);
          if (seen.length === leaveAfter) break;
        }
        const { turnId } = startOf(seen);
        const rest = resume(server, turnId, seen.length);
        gate.resolve();
        const events = [...seen, ...(await rest)];
        assert.deepEqual(
          events.map(({ sequence }) => sequence),
          events.map((_, index) => index + 1),
        );
        assert.equal(textOf(events), pieces.join(""));
        assert.deepEqual(await resume(server, turnId, 0), events);
      }
      assert.equal(harness.models.requests.length, asked + 5);
    });

    test("a turn that nobody reads goes on to its end", async () => {
      const gate = Promise.withResolvers<void>();
      harness.models.script = async (exchange) => {
        await gate.promise;
        await answered(exchange);
      };
      const { turnId, conversationId } = await leaveAtStart();
      gate.resolve();
      await until("the answer is kept", async () => (await countMessages(conversationId)) === 2);
      assert.equal(endOf(await resume(server, turnId, 0)).reason, TurnEndReason.COMPLETE);
    });

    test("a turn that nobody reads for too long is cancelled, and its model is let go", async () => {
      let left = false;
      harness.models.script = async ({ left: leaving, text }) => {
        await text("The engine ");
        await once(leaving, "abort");
        left = true;
      };
      const { turnId, conversationId } = await leaveAtStart();
      await until("the model is let go", () => left);
      const events = await resume(server, turnId, 0);
      assert.equal(endOf(events).reason, TurnEndReason.CANCELLED);
      const { messages } = await server.client.call.listMessages({ conversationId });
      assert.equal(messages[1]?.text, "The engine");
    });

    test("CancelTurn ends a turn, keeps what was said, and does no harm again", async () => {
      harness.models.script = async ({ left, text }) => {
        await text("The engine ");
        await once(left, "abort");
      };
      const seen: ChatResponse[] = [];
      for await (const event of server.client.call.chat({ message: "Where was the engine built?" })) {
        seen.push(event);
        if (event.event?.$case === "text")
          await server.client.call.cancelTurn({ turnId: startOf(seen).turnId });
      }
      assert.equal(endOf(seen).reason, TurnEndReason.CANCELLED);
      const { conversationId, turnId } = startOf(seen);
      await server.client.call.cancelTurn({ turnId });
      const { messages } = await server.client.call.listMessages({ conversationId });
      assert.deepEqual(
        messages.map(({ text }) => text),
        ["Where was the engine built?", "The engine"],
      );
    });

    test("a conversation has one turn at a time, and is free after it", async () => {
      const gate = Promise.withResolvers<void>();
      harness.models.script = async (exchange) => {
        await gate.promise;
        await answered(exchange);
      };
      const { turnId, conversationId } = await leaveAtStart();
      const { activeTurnId } = await server.client.call.listMessages({ conversationId });
      assert.equal(activeTurnId, turnId);
      const error = await failure(chat(server, { conversationId, message: "And when?" }));
      assert.deepEqual([error.code, error.reason], [9, "HW_TURN_ACTIVE"]);
      assert(error.message.includes(turnId), error.message);
      gate.resolve();
      await resume(server, turnId, 0);
      harness.models.script = answered;
      const events = await chat(server, { conversationId, message: "And when?" });
      assert.equal(endOf(events).reason, TurnEndReason.COMPLETE);
    });

    test("the same idempotency key is the same turn, at once and later", async () => {
      const asked = harness.models.requests.length;
      const request = { message: "Where was the engine built?", idempotencyKey: randomUUID() };
      const [first, ...others] = await Promise.all([1, 2, 3].map(() => chat(server, request)));
      others.push(await chat(server, request));
      for (const other of others) assert.deepEqual(other, first);
      assert.equal(harness.models.requests.length, asked + 1);
      const elsewhere = await chat(server, { ...request, owner: "somebody-else" });
      assert.notEqual(startOf(elsewhere).turnId, startOf(first ?? []).turnId);
    });

    test("a stateless turn reads the history that it was given, keeps nothing, and ends with its caller", async () => {
      const before = await server.client.call.listConversations({ owner: "nobody" });
      const events = await chat(server, {
        owner: "nobody",
        stateless: true,
        message: "Where was it built?",
        history: [
          { role: 1, text: "How old is the Haarlem engine?" },
          { role: 2, text: "It is old [7]." },
        ],
      });
      const { turnId, conversationId } = startOf(events);
      assert.equal(conversationId, "");
      assert.equal(endOf(events).reason, TurnEndReason.COMPLETE);
      const roles = harness.models.requests.at(-1)?.body.messages.map(({ role }) => role);
      assert.deepEqual(roles, ["system", "user", "assistant", "user"]);
      assert.equal((await failure(resume(server, turnId, 0))).reason, "HW_TURN_UNKNOWN");
      assert.deepEqual(await server.client.call.listConversations({ owner: "nobody" }), before);

      let left = false;
      harness.models.script = async (exchange) => {
        await exchange.text("The engine ");
        await once(exchange.left, "abort");
        left = true;
      };
      const stream = server.client.call.chat({ stateless: true, message: "Where was the engine built?" });
      for await (const { event } of stream) if (event?.$case === "text") break;
      await until("the model is let go", () => left);
    });

    test("a turn whose model fails says why, and the message can be sent again", async () => {
      harness.models.script = async (exchange) => exchange.fail(400);
      const events = await chat(server, { message: "Where was the engine built?" });
      const end = endOf(events);
      assert.equal(end.reason, TurnEndReason.FAILED);
      assert(end.error?.reason.startsWith("HW_MODEL_"), end.error?.reason);
      assert(end.error && end.error.code > 0 && end.error.message !== "");
      harness.models.script = answered;
      const { conversationId } = startOf(events);
      const again = await chat(server, { conversationId, message: "Where was the engine built?" });
      assert.equal(endOf(again).reason, TurnEndReason.COMPLETE);
      // What was never answered is no history.
      const roles = harness.models.requests.at(-1)?.body.messages.map(({ role }) => role);
      assert.deepEqual(roles, ["system", "user"]);
    });

    test("a slow reader slows the model", async () => {
      let written = 0;
      const piece = "x".repeat(16 * 1024);
      const most = 600;
      harness.models.script = async (exchange) => {
        for (; written < most && !exchange.left.aborted; written += 1) await exchange.text(piece);
        await exchange.finish();
      };
      const reading = server.client.call
        .chat({ message: "Where was the engine built?", maxOutputTokens: 8192 })
        [Symbol.asyncIterator]();
      for (let step = await reading.next(); step.value?.event?.$case !== "text"; )
        step = await reading.next();
      let stood = 0;
      for (let last = -1; stood < 10; last = written) {
        await new Promise((done) => setTimeout(done, 50));
        stood = written === last ? stood + 1 : 0;
      }
      assert(written < most, `${written} of ${most} pieces were written while the reader stood still`);
      let end: ChatResponse | undefined;
      for (let step = await reading.next(); !step.done; step = await reading.next()) end = step.value;
      assert.equal(end?.event?.$case, "end");
      assert.equal(written, most);
    });

    test("a follow-up is rewritten by the model for retrieval, and told in the first event", async () => {
      const first = await chat(server, { message: "Where was the Haarlem engine built?" });
      const { conversationId } = startOf(first);
      const instructed: string[] = [];
      harness.models.script = async (exchange) => {
        const [system] = exchange.request.body.messages;
        instructed.push(system?.content ?? "");
        if (instructed.length === 1) {
          await exchange.text("When was the Haarlem engine built?");
          await exchange.finish("stop", { prompt_tokens: 10, completion_tokens: 7 });
        } else await answered(exchange);
      };
      const events = await chat(server, { conversationId, message: "And when?" });
      assert.equal(startOf(events).standaloneQuestion, "When was the Haarlem engine built?");
      assert.equal(harness.search.requests.at(-1)?.query, "When was the Haarlem engine built?");
      assert.match(instructed[0] ?? "", /search engine/);
      const messages = harness.models.requests.at(-1)?.body.messages ?? [];
      assert.match(messages.at(-1)?.content ?? "", /Question: And when\?$/);
      assert.equal(messages[1]?.content, "Where was the Haarlem engine built?");
      assert.doesNotMatch(messages[2]?.content ?? "", /\[1\]/, "numbers of another turn's sources");
      assert.deepEqual(endOf(events).usage, { inputTokens: 110, outputTokens: 16, cost: 0 });
    });

    test("where the model cannot rewrite a follow-up, rules do", async () => {
      const first = await chat(server, { message: "Where was the Haarlem engine built?" });
      let asked = 0;
      harness.models.script = async (exchange) => {
        asked += 1;
        if (asked === 1) exchange.fail(400);
        else await answered(exchange);
      };
      const { conversationId } = startOf(first);
      const events = await chat(server, { conversationId, message: "How old is it?" });
      assert.match(startOf(events).standaloneQuestion, /Haarlem/);
      assert.equal(endOf(events).reason, TurnEndReason.COMPLETE);
      assert.match(
        await server.metrics(),
        /headwater_generation_turns_degraded_total\{what="rewriting",service="generation"\} [1-9]/,
      );
    });

    test("beyond the bound a turn is refused at once, also while its readers have left", async () => {
      const gate = Promise.withResolvers<void>();
      harness.models.script = async (exchange) => {
        await gate.promise;
        await answered(exchange);
      };
      const held = await Promise.all(Array.from({ length: 20 }, () => leaveAtStart()));
      const error = await failure(chat(server, { message: "Where was the engine built?" }));
      assert.deepEqual([error.code, error.reason], [8, "HW_OVERLOADED"]);
      gate.resolve();
      for (const { turnId } of held) assert.equal(endOf(await resume(server, turnId, 0)).error, undefined);
      await until("there is room again", async () =>
        /rag_active_requests\{kind="chat",service="generation"\} 0/.test(await server.metrics()),
      );
      assert.equal(endOf(await chat(server, { message: "Where was the engine built?" })).error, undefined);
    });

    test("turns of others are not there", async () => {
      const { turnId } = startOf(
        await chat(server, { tenant: "acme", owner: "ann", message: "Is it salty?" }),
      );
      for (const other of [{}, { tenant: "acme" }, { owner: "ann" }, { tenant: "acme", owner: "bob" }]) {
        const resumed = Array.fromAsync(server.client.call.resumeTurn({ ...other, turnId }));
        assert.equal((await failure(resumed)).reason, "HW_TURN_UNKNOWN");
        assert.equal(
          (await failure(server.client.call.cancelTurn({ ...other, turnId }))).reason,
          "HW_TURN_UNKNOWN",
        );
        const decided = server.client.call.decideToolCall({ ...other, turnId, callId: "c", approved: true });
        assert.deepEqual((await failure(decided)).reason, "HW_CALL_NOT_WAITING");
      }
    });

    test("bad requests are refused with a reason, and no conversation is made", async () => {
      const bad = [
        [{ message: " " }, "HW_TEXT_INVALID"],
        [{ message: "x".repeat(32_769) }, "HW_TEXT_INVALID"],
        [{ message: "a\0b" }, "HW_TEXT_INVALID"],
        [{ message: "x", conversationId: "7" }, "HW_ID_INVALID"],
        [{ message: "x", conversationId: randomUUID() }, "HW_CONVERSATION_UNKNOWN"],
        [{ message: "x", agentId: "7" }, "HW_ID_INVALID"],
        [{ message: "x", agentId: randomUUID() }, "HW_AGENT_UNKNOWN"],
        [{ message: "x", model: "gpt" }, "HW_MODEL_UNKNOWN"],
        [{ message: "x", tenant: "a/b" }, "HW_TENANT_INVALID"],
        [{ message: "x", owner: "a b" }, "HW_OWNER_INVALID"],
        [{ message: "x", maxPassages: 51 }, "HW_LIMIT_INVALID"],
        [{ message: "x", maxOutputTokens: 8193 }, "HW_LIMIT_INVALID"],
        [{ message: "x", temperature: 2.1 }, "HW_TEMPERATURE_INVALID"],
        [{ message: "x", history: [{ role: 1, text: "a" }] }, "HW_FIELD_INVALID"],
        [{ message: "x", stateless: true, idempotencyKey: "k" }, "HW_FIELD_INVALID"],
        [{ message: "x", stateless: true, conversationId: randomUUID() }, "HW_FIELD_INVALID"],
        [{ message: "x", stateless: true, history: [{ role: 0, text: "a" }] }, "HW_ROLE_INVALID"],
        [{ message: "x", idempotencyKey: "k".repeat(129) }, "HW_KEY_TOO_LONG"],
      ] as const;
      const before = await server.client.call.listConversations({ owner: "bad" });
      for (const [request, reason] of bad) {
        const error = await failure(
          chat(server, {
            owner: "bad",
            ...request,
            history: [...("history" in request ? request.history : [])],
          }),
        );
        assert.equal(error.reason, reason, JSON.stringify(request).slice(0, 80));
      }
      assert.deepEqual(await server.client.call.listConversations({ owner: "bad" }), before);
      const id = await failure(resume(server, "7", 0));
      assert.equal(id.reason, "HW_ID_INVALID");
    });

    /** A turn whose reader left after its first event. */
    async function leaveAtStart(): Promise<{ turnId: string; conversationId: string }> {
      for await (const event of server.client.call.chat({ message: "Where was the engine built?" }))
        return startOf([event]);
      assert.fail("the turn had no event");
    }

    async function countMessages(id: string): Promise<number | undefined> {
      return (await server.client.call.getConversation({ id })).conversation?.messageCount;
    }
  });
}

async function failure(work: Promise<unknown>): Promise<HeadwaterError> {
  return await work.then(
    () => assert.fail("no error was thrown"),
    (thrown) => {
      assert(thrown instanceof HeadwaterError, String(thrown));
      return thrown;
    },
  );
}
