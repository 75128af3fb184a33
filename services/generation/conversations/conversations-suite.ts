import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import type { HeadwaterError } from "@headwater/errors";
import type { Conversation } from "@headwater/proto/services/headwater/v1/conversation";
import type { ConversationHarness, ConversationServer } from "../testing/conversation-harness.ts";
import { chat, startConversationHarness, startOf } from "../testing/conversation-harness.ts";

/** What conversations have to do wherever their records are. */
export function conversationsSuite(name: string, openSettings: () => Promise<Record<string, string>>): void {
  describe(`conversations: ${name}`, () => {
    let harness: ConversationHarness;
    let server: ConversationServer;

    before(async () => {
      harness = await startConversationHarness(await openSettings());
      harness.models.script = async (exchange) => {
        await exchange.text("The engine was built in Cornwall [1].");
        await exchange.finish();
      };
      server = await harness.start();
    });
    after(() => harness.close());

    test("one is made, read, renamed and deleted with all that hangs on it", async () => {
      const { call } = server.client;
      const { conversation } = await call.createConversation({ owner: "ann", title: "Pumps" });
      assert(conversation);
      const { id } = conversation;
      assert.deepEqual(
        [conversation.title, conversation.messageCount, conversation.agentId],
        ["Pumps", 0, ""],
      );
      const { turnId } = startOf(await chat(server, { owner: "ann", conversationId: id, message: "Where?" }));
      const renamed = await call.renameConversation({ owner: "ann", id, title: "Engines" });
      assert.deepEqual([renamed.conversation?.title, renamed.conversation?.messageCount], ["Engines", 2]);
      assert.deepEqual(await call.getConversation({ owner: "ann", id }), renamed);
      await call.deleteConversation({ owner: "ann", id });
      await call.deleteConversation({ owner: "ann", id });
      const gone = { code: 5, reason: "HW_CONVERSATION_UNKNOWN" };
      await assert.rejects(call.getConversation({ owner: "ann", id }), gone);
      await assert.rejects(call.listMessages({ owner: "ann", conversationId: id }), gone);
      await assert.rejects(Array.fromAsync(call.resumeTurn({ owner: "ann", turnId })), {
        reason: "HW_TURN_UNKNOWN",
      });
    });

    test("pages bring each conversation once, last used first", async () => {
      const { call } = server.client;
      const owner = "pages";
      const ids: string[] = [];
      for (let made = 0; made < 7; made += 1) {
        const { conversation } = await call.createConversation({ owner, title: `number ${made}` });
        ids.push(conversation?.id ?? "");
      }
      await chat(server, { owner, conversationId: ids[2] ?? "", message: "Where was it built?" });
      const seen: Conversation[] = [];
      let pageToken = "";
      do {
        const page = await call.listConversations({ owner, pageSize: 3, pageToken });
        assert(page.conversations.length <= 3);
        seen.push(...page.conversations);
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      assert.equal(seen[0]?.id, ids[2]);
      assert.deepEqual(seen.map(({ id }) => id).sort(), ids.toSorted());
      const times = seen.map(({ updatedTime }) => updatedTime?.getTime() ?? 0);
      assert.deepEqual(
        times,
        times.toSorted((a, b) => b - a),
      );
      const { nextPageToken } = await call.listConversations({ owner, pageSize: 3 });
      await assert.rejects(call.listConversations({ owner: "other", pageToken: nextPageToken }), {
        reason: "HW_PAGE_TOKEN_INVALID",
      });
    });

    test("messages come in pages, oldest first, and whole in an export", async () => {
      const { call } = server.client;
      const first = await chat(server, { message: "Where was the engine built?" });
      const { conversationId } = startOf(first);
      await chat(server, { conversationId, message: "And the other engine of Haarlem?" });
      const { conversation, messages } = await call.exportConversation({ id: conversationId });
      assert.equal(conversation?.messageCount, 4);
      assert.deepEqual(
        messages.map(({ role }) => role),
        [1, 2, 1, 2],
      );
      const paged: typeof messages = [];
      let pageToken = "";
      do {
        const page = await call.listMessages({ conversationId, pageSize: 1, pageToken });
        paged.push(...page.messages);
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      assert.deepEqual(paged, messages);
    });

    test("a fork has the messages up to one, under ids of its own, and goes on by itself", async () => {
      const { call } = server.client;
      const { conversationId } = startOf(await chat(server, { message: "Where was the engine built?" }));
      await chat(server, { conversationId, message: "And the other engine of Haarlem?" });
      const { messages } = await call.listMessages({ conversationId });
      const second = messages[1]?.id ?? "";
      const { conversation: fork } = await call.forkConversation({ id: conversationId, messageId: second });
      assert(fork);
      assert.deepEqual([fork.messageCount, fork.forkedFrom], [2, conversationId]);
      assert.equal(fork.title, "Where was the engine built?");
      const { messages: copied } = await call.listMessages({ conversationId: fork.id });
      assert.deepEqual(
        copied.map(({ id, ...rest }) => [messages.some((other) => other.id === id), rest]),
        messages.slice(0, 2).map(({ id: _, ...rest }) => [false, rest]),
      );
      await chat(server, { conversationId: fork.id, message: "And when, in which year?" });
      assert.equal((await call.getConversation({ id: fork.id })).conversation?.messageCount, 4);
      assert.equal((await call.getConversation({ id: conversationId })).conversation?.messageCount, 4);
      const { conversation: whole } = await call.forkConversation({ id: conversationId, title: "Copy" });
      assert.deepEqual([whole?.messageCount, whole?.title], [4, "Copy"]);
      await assert.rejects(call.forkConversation({ id: conversationId, messageId: fork.id }), {
        code: 5,
        reason: "HW_MESSAGE_UNKNOWN",
      });
    });

    test("nobody sees, changes or deletes what is another's", async () => {
      const { call } = server.client;
      const mine = { tenant: "acme", owner: "ann@example.org" };
      const { conversationId } = startOf(await chat(server, { ...mine, message: "Where was it built?" }));
      const whole = await call.exportConversation({ ...mine, id: conversationId });
      for (const other of [
        {},
        { tenant: "acme" },
        { owner: "ann@example.org" },
        { tenant: "acme", owner: "bob" },
        { tenant: "other", owner: "ann@example.org" },
      ]) {
        const id = conversationId;
        const attempts = [
          () => call.getConversation({ ...other, id }),
          () => call.listMessages({ ...other, conversationId }),
          () => call.renameConversation({ ...other, id, title: "mine now" }),
          () => call.forkConversation({ ...other, id }),
          () => call.exportConversation({ ...other, id }),
          () => chat(server, { ...other, conversationId, message: "What was said?" }),
        ];
        for (const attempt of attempts) {
          await assert.rejects(
            attempt,
            (error: HeadwaterError) => error.reason === "HW_CONVERSATION_UNKNOWN",
          );
        }
        await call.deleteConversation({ ...other, id });
        const { conversations } = await call.listConversations(other);
        assert(!conversations.some((found) => found.id === id));
      }
      assert.deepEqual(await call.exportConversation({ ...mine, id: conversationId }), whole);
    });

    test("bad requests are refused with a reason", async () => {
      const { call } = server.client;
      const id = randomUUID();
      const attempts = [
        [() => call.createConversation({ title: "x".repeat(257) }), "HW_TEXT_INVALID"],
        [() => call.createConversation({ agentId: "7" }), "HW_ID_INVALID"],
        [() => call.createConversation({ tenant: "a/b" }), "HW_TENANT_INVALID"],
        [() => call.getConversation({ id: "' OR 1=1" }), "HW_ID_INVALID"],
        [() => call.renameConversation({ id, title: "" }), "HW_TEXT_INVALID"],
        [() => call.renameConversation({ id, title: "x" }), "HW_CONVERSATION_UNKNOWN"],
        [() => call.listConversations({ pageSize: 201 }), "HW_PAGE_SIZE_INVALID"],
        [() => call.listConversations({ pageToken: "x" }), "HW_PAGE_TOKEN_INVALID"],
        [() => call.listConversations({ owner: "a/b" }), "HW_OWNER_INVALID"],
        [() => call.forkConversation({ id, messageId: "7" }), "HW_ID_INVALID"],
        [() => call.decideToolCall({ turnId: id, callId: "" }), "HW_TEXT_INVALID"],
        [() => call.cancelTurn({ turnId: "7" }), "HW_ID_INVALID"],
        [() => call.cancelTurn({ turnId: id }), "HW_TURN_UNKNOWN"],
      ] as const;
      for (const [attempt, reason] of attempts) await assert.rejects(attempt, { reason });
    });

    test("the beginning of a long conversation is summed up once, and stays within the budget", async () => {
      const small = await startConversationHarness({
        ...(await openSettings()),
        HEADWATER_GENERATION_HISTORY_TOKENS: "256",
      });
      try {
        const asked: string[] = [];
        small.models.script = async (exchange) => {
          const system = exchange.request.body.messages[0]?.content ?? "";
          const kind = /minutes of a conversation/.test(system)
            ? "summary"
            : /search engine/.test(system)
              ? "rewriting"
              : "answer";
          asked.push(kind);
          await exchange.text(
            kind === "answer" ? `The engine is old [1]. ${"Indeed. ".repeat(25)}` : `A ${kind}.`,
          );
          await exchange.finish();
        };
        const process = await small.start();
        let conversationId = "";
        for (let turn = 0; turn < 6; turn += 1) {
          const events = await chat(process, { conversationId, message: `What is engine number ${turn}?` });
          ({ conversationId } = startOf(events));
        }
        const summaries = asked.filter((kind) => kind === "summary").length;
        assert(summaries >= 1 && summaries < 4, `${summaries} summaries in 6 turns: ${asked.join()}`);
        const messages = small.models.requests.at(-1)?.body.messages ?? [];
        // Model services get all that comes before the first message as one.
        assert.match(messages[0]?.content ?? "", /summed up.*\n> A summary\./);
        const history = messages
          .slice(1, -1)
          .map(({ content }) => content)
          .join("");
        assert(history.length / 4 < 256, `${history.length} characters of history`);
      } finally {
        await small.close();
      }
    });
  });
}
