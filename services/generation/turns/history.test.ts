import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageRole } from "@headwater/proto/services/headwater/v1/conversation";
import { tokensOf } from "../answer/history-room.ts";
import type { SaidMessage } from "./history.ts";
import { fitHistory } from "./history.ts";

const never = new AbortController().signal;
const noSummary = { text: "", through: 0 };

function fail(thrown: unknown): never {
  throw thrown;
}

/** Turns of about `tokens` each. */
function turns(count: number, tokens: number): SaidMessage[] {
  return Array.from({ length: count }, (_, turn) => {
    const turnId = `t${turn}`;
    const answer = `Answer ${turn} [1]. ${"x".repeat(4 * tokens)}`;
    return [
      { place: 2 * turn + 1, turnId, role: MessageRole.USER, text: `Question ${turn}?` },
      { place: 2 * turn + 2, turnId, role: MessageRole.ASSISTANT, text: answer },
    ];
  }).flat();
}

test("what has room stays whole, without the numbers of other turns' sources", async () => {
  const kept = { summary: noSummary, messages: turns(3, 10) };
  const { messages, summary } = await fitHistory(kept, 1000, undefined, fail, never);
  assert.equal(summary, undefined);
  assert.equal(messages.length, 6);
  assert.doesNotMatch(messages[1]?.text ?? "", /\[1\]/);
});

test("beyond the budget the older turns become a summary that grows, and all of it stays within", async () => {
  let summary = noSummary;
  let made = 0;
  const all = turns(40, 60);
  for (let last = 2; last <= all.length; last += 2) {
    const messages = all.slice(summary.through, last);
    const fitted = await fitHistory({ summary, messages }, 600, undefined, fail, never);
    assert(tokensOf(fitted.messages) <= 600, `${tokensOf(fitted.messages)} tokens after ${last} messages`);
    assert.equal(fitted.messages.at(-2)?.text, `Question ${last / 2 - 1}?`, "the newest turn is whole");
    if (fitted.summary) {
      assert(fitted.summary.through > summary.through);
      ({ summary } = fitted);
      made += 1;
    }
  }
  assert(made >= 2 && made <= 12, `${made} summaries for 40 turns`);
  assert.match(summary.text, /user: Question \d+\?\nassistant: Answer \d+/);
});

test("a turn that alone is beyond the budget is summed up too, and one that was never answered is left out", async () => {
  const [question, answer] = turns(1, 5000);
  assert(question && answer);
  const { messages } = await fitHistory(
    { summary: noSummary, messages: [question, answer] },
    600,
    undefined,
    fail,
    never,
  );
  assert.equal(messages.length, 1);
  assert.match(messages[0]?.text ?? "", /> user: Question 0\?\n> assistant: Answer 0/);
  const unanswered = [question, { ...answer, text: "" }];
  const without = await fitHistory({ summary: noSummary, messages: unanswered }, 600, undefined, fail, never);
  assert.deepEqual(without.messages, []);
});
