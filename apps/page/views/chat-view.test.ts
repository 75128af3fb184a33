import assert from "node:assert/strict";
import { TurnEndReason } from "@headwater/proto/connect/headwater/v1/conversation";
import { Rating } from "@headwater/proto/connect/headwater/v1/feedback";
import { MemoryAction } from "@headwater/proto/connect/headwater/v1/memory";
import type { Page } from "playwright-core";
import { breachesOf, overflowOf } from "../testing/accessibility.ts";
import type { TurnMessage } from "../testing/conversation-double.ts";
import { eventually, pageTest, phone, textsOf } from "../testing/page-test.ts";

const question = "Which brewery lost none of its men to cholera?";

async function ask(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message").fill(text);
  await page.keyboard.press("Enter");
}

function turn(page: Page, text: string) {
  return page.getByRole("article", { name: text });
}

pageTest("a conversation streams, is cited, and is still there after a reload", async ({ page }) => {
  await page.goto("/?view=chat");
  await ask(page, question);
  const chip = turn(page, question).getByRole("link", { name: /^Source 1: The pump/ });
  await chip.waitFor();
  assert.match((await textsOf(page, ".turn .answer-text")).join(""), /lost none of its men to cholera\./);
  await page.waitForURL(/view=chat&conversation=[0-9a-f-]+/);
  assert.equal(await page.evaluate(() => document.activeElement?.id), "message", "the focus stays");
  await ask(page, "Did they drink from the brewery well?");
  await turn(page, "Did they drink from the brewery well?").locator(".cite").first().waitFor();
  await page.reload();
  await chip.waitFor();
  assert.equal(await page.locator(".turn").count(), 2);
  await chip.click();
  await page.getByRole("complementary", { name: "Document: The pump" }).locator("mark").waitFor();
});

pageTest("Shift and Enter makes a line, Enter sends it", async ({ page }) => {
  await page.goto("/?view=chat");
  const box = page.getByLabel("Message");
  await box.fill("One");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("two");
  assert.equal(await box.inputValue(), "One\ntwo");
  await page.keyboard.press("Enter");
  await page.locator(".turn-question").waitFor();
  assert.deepEqual(await textsOf(page, ".turn-question"), ["One\ntwo"]);
  assert.equal(await box.inputValue(), "");
});

pageTest("steps of an agent are seen, and a call waits for approval", async ({ page, gateway }) => {
  gateway.script.chat = async function* (_request, { decision }): AsyncGenerator<TurnMessage> {
    yield { step: 1, event: { case: "thought", value: { text: "I have to calculate." } } };
    const call = { callId: "c1", tool: "calculator", arguments: '{"expression":"6 * 7"}' };
    yield { step: 1, event: { case: "toolCall", value: call } };
    yield { step: 1, event: { case: "approval", value: { callId: "c1" } } };
    const text = (await decision("c1")) ? "42" : "refused";
    yield { step: 1, event: { case: "toolResult", value: { callId: "c1", text, elapsedMs: 2 } } };
    yield { step: 2, event: { case: "text", value: { text: "It is 42." } } };
    const decisions = [
      {
        statement: "The user likes 42.",
        action: MemoryAction.STORED,
        surprise: 0.81,
        threshold: 0.35,
        parts: {},
      },
    ];
    yield { event: { case: "remembered", value: { decisions } } };
    yield { event: { case: "end", value: { reason: TurnEndReason.COMPLETE, model: "m1", steps: 2 } } };
  };
  await page.goto("/?view=chat");
  await ask(page, "What is 6 times 7?");
  await page.getByText("I have to calculate.").waitFor();
  await page.getByText("expression: 6 * 7").waitFor();
  const approval = page.getByRole("group", { name: "Approval of calculator" });
  await approval.getByRole("button", { name: "Approve" }).click();
  await page.getByText("It is 42.").waitFor();
  await approval.waitFor({ state: "detached" });
  await page.getByText("1 of 1 statement remembered").click();
  await page.getByText("surprise 0.81").waitFor();
  await page.getByText("m1 · 2 steps").waitFor();
  assert.deepEqual(await breachesOf(page), []);
  await page.emulateMedia({ colorScheme: "dark" });
  assert.deepEqual(await breachesOf(page), []);
});

pageTest("a reload in the middle of a turn goes on with it", async ({ page, gateway }) => {
  const more = Promise.withResolvers<void>();
  gateway.script.chat = async function* (): AsyncGenerator<TurnMessage> {
    yield { event: { case: "text", value: { text: "The first half" } } };
    await more.promise;
    yield { event: { case: "text", value: { text: " and the second." } } };
    yield { event: { case: "end", value: { reason: TurnEndReason.COMPLETE } } };
  };
  await page.goto("/?view=chat");
  await ask(page, "Tell me.");
  await page.getByText("The first half").waitFor();
  await page.waitForURL(/conversation=/);
  await page.reload();
  await page.getByText("The first half").waitFor();
  more.resolve();
  await page.getByText("The first half and the second.").waitFor();
  assert.equal(gateway.conversations.turns.size, 1, "no second turn was begun");
});

pageTest("who goes elsewhere in the middle of a turn finds it under way again", async ({ page, gateway }) => {
  const more = Promise.withResolvers<void>();
  gateway.script.chat = async function* (): AsyncGenerator<TurnMessage> {
    yield { event: { case: "text", value: { text: "The first half" } } };
    await more.promise;
    yield { event: { case: "text", value: { text: " and the second." } } };
    yield { event: { case: "end", value: { reason: TurnEndReason.COMPLETE } } };
  };
  await page.goto("/?view=chat");
  await ask(page, "Tell me.");
  await page.getByText("The first half").waitFor();
  await page.getByRole("link", { name: "Pipeline" }).click();
  await page.getByRole("heading", { name: "Pipeline" }).waitFor();
  await page.getByRole("link", { name: "Chat", exact: true }).click();
  await page.getByText("The first half").waitFor();
  await page.getByRole("link", { name: "New chat" }).click();
  await page.getByText("What would you like to know?").waitFor();
  await page.waitForFunction(() => document.activeElement?.id === "message");
  await page.getByRole("link", { name: /^Tell me/ }).click();
  await page.getByText("The first half").waitFor();
  more.resolve();
  await page.getByText("The first half and the second.").waitFor();
  assert.equal(gateway.conversations.turns.size, 1);
});

pageTest(
  "a turn goes on when a lost connection is back",
  async ({ page, gateway, reopen }) => {
    const more = Promise.withResolvers<void>();
    gateway.script.chat = async function* (): AsyncGenerator<TurnMessage> {
      yield { event: { case: "text", value: { text: "The first half" } } };
      await more.promise;
      yield { event: { case: "text", value: { text: " and the second." } } };
      yield { event: { case: "end", value: { reason: TurnEndReason.COMPLETE } } };
    };
    await page.goto("/?view=chat");
    await ask(page, "Tell me.");
    await page.getByText("The first half").waitFor();
    await gateway.close();
    await page.getByText("Not connected").waitFor();
    await reopen();
    more.resolve();
    await page.getByText("The first half and the second.").waitFor();
    assert.equal(gateway.conversations.turns.size, 1);
  },
  { allow: /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/ },
);

pageTest("Stop ends the turn, and it can be asked again", async ({ page, gateway }) => {
  const { chat } = gateway.script;
  gateway.script.chat = async function* (_request, { signal }): AsyncGenerator<TurnMessage> {
    yield { event: { case: "text", value: { text: "A first half" } } };
    await new Promise((done) => signal.addEventListener("abort", done));
  };
  await page.goto("/?view=chat");
  await ask(page, question);
  await page.getByText("A first half").waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.locator(".turn").getByText("Stopped here, as you asked.").waitFor();
  gateway.script.chat = chat;
  await page.getByRole("button", { name: "Ask again" }).click();
  await turn(page, question).last().locator(".cite").first().waitFor();
});

pageTest("a turn that fails says why and what can be done", async ({ page, gateway }) => {
  gateway.script.chat = async function* (): AsyncGenerator<TurnMessage> {
    const error = { reason: "HW_MODEL_AWAY", message: "The model is away.", action: "Try later.", code: 14 };
    yield { event: { case: "end", value: { reason: TurnEndReason.FAILED, error } } };
  };
  await page.goto("/?view=chat");
  await ask(page, "Anything?");
  await page.getByRole("alert").getByText("The model is away.").waitFor();
  await page.getByText("HW_MODEL_AWAY").waitFor();
});

pageTest("conversations are renamed, forked, exported and deleted", async ({ page, gateway }) => {
  await page.goto("/?view=chat");
  await ask(page, question);
  await turn(page, question).getByRole("button", { name: "Fork from here" }).waitFor();
  await page.getByRole("button", { name: "Rename", exact: true }).click();
  await page.getByLabel("Title").fill("Beer");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Beer" }).waitFor();
  const list = page.getByRole("navigation", { name: "Conversations" });
  await list.getByRole("link", { name: /^Beer/ }).waitFor();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export" }).click();
  assert.equal((await download).suggestedFilename(), "Beer.json");
  const first = page.url();
  await turn(page, question).getByRole("button", { name: "Fork from here" }).click();
  await eventually(() => assert.notEqual(page.url(), first));
  await turn(page, question).locator(".cite").first().waitFor();
  assert.equal(gateway.conversations.conversations.size, 2);
  await page.getByRole("button", { name: "Delete the conversation" }).click();
  await page.getByRole("button", { name: "Delete?" }).click();
  await page.getByText("What would you like to know?").waitFor();
  assert.equal(gateway.conversations.conversations.size, 1);
});

pageTest("an answer is rated and corrected", async ({ page, gateway }) => {
  await page.goto("/?view=chat");
  await ask(page, question);
  await page.getByRole("button", { name: "A bad answer" }).click();
  await page.getByLabel("What would have been right?").fill("None of them.");
  await page.getByRole("button", { name: "Send the correction" }).click();
  await eventually(() => {
    const [given] = gateway.feedback;
    assert.equal(given?.rating, Rating.DOWN);
    assert.equal(given?.correction, "None of them.");
    assert.equal(given?.question, question);
  });
  await page.reload();
  await page.getByRole("button", { name: "A bad answer", pressed: true }).waitFor();
});

pageTest(
  "on a phone the list is a drawer, and all can be reached",
  async ({ page }) => {
    await page.goto("/?view=chat");
    await ask(page, question);
    await turn(page, question).locator(".cite").first().waitFor();
    assert.equal(await overflowOf(page), 0);
    await page.getByRole("button", { name: "Conversations" }).tap();
    const drawer = page.getByRole("dialog", { name: "Conversations" });
    await drawer.getByRole("link", { name: /Which brewery/ }).waitFor();
    assert.deepEqual(await breachesOf(page), []);
    await drawer.getByRole("link", { name: "New chat" }).tap();
    await drawer.waitFor({ state: "detached" });
    await page.getByText("What would you like to know?").waitFor();
    await page.getByRole("button", { name: "More" }).tap();
    await page.getByRole("link", { name: "Pipeline" }).tap();
    await page.getByRole("heading", { name: "Pipeline" }).waitFor();
  },
  { context: phone },
);
