import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChatEvent, Message, TurnEnd } from "@headwater/client";
import type { Turn } from "./chat-turn.ts";
import { newTurn, turnsOf, withChatEvent } from "./chat-turn.ts";

const usage = { inputTokens: 10, outputTokens: 4, cost: 0 };
const end: TurnEnd = {
  reason: "complete",
  usage,
  model: "m",
  milliseconds: {},
  steps: 2,
  prompt: undefined,
  error: undefined,
};

function played(events: readonly ChatEvent[]): Turn {
  return events.reduce(withChatEvent, newTurn("k", "How many?"));
}

const started: ChatEvent = {
  type: "started",
  sequence: 1,
  step: 0,
  turnId: "t",
  conversationId: "c",
  messageId: "m",
  standaloneQuestion: "How many dams?",
  agentId: "",
};

test("thoughts grow within a step, and a call waits, is decided, and has its result", () => {
  const call = { callId: "1", tool: "search", arguments: "{}" };
  const begun: ChatEvent[] = [
    started,
    { type: "thought", sequence: 2, step: 1, text: "First " },
    { type: "thought", sequence: 3, step: 1, text: "search." },
    { type: "tool_call", sequence: 4, step: 1, ...call },
    { type: "approval", sequence: 5, step: 1, callId: "1", deadline: undefined },
  ];
  const waiting = played(begun);
  assert.equal(waiting.turnId, "t");
  assert.equal(waiting.standaloneQuestion, "How many dams?");
  assert.deepEqual(waiting.steps, [
    { type: "thought", step: 1, text: "First search." },
    { type: "call", call, approval: { deadline: undefined }, result: undefined },
  ]);
  const result = { callId: "1", text: "12", failed: false, truncated: false, elapsedMs: 3 };
  const done = played([
    ...begun,
    { type: "tool_result", sequence: 6, step: 1, ...result },
    { type: "thought", sequence: 7, step: 2, text: "Twelve." },
    { type: "text", sequence: 8, step: 2, text: "Twelve" },
    { type: "text", sequence: 9, step: 2, text: "." },
    { ...end, type: "end", sequence: 10, step: 0 },
  ]);
  const step = done.steps[1];
  assert(step?.type === "call");
  assert.equal(step.approval, undefined);
  assert.equal(step.result?.text, "12");
  assert.equal(done.steps.length, 3);
  assert.equal(done.text, "Twelve.");
  assert.equal(done.phase, "ended");
  assert.equal(done.sequence, 10);
});

test("kept messages become turns; one that is under way runs, one that was lost has no answer", () => {
  const message = (id: string, role: Message["role"], turnId: string): Message => ({
    ...{ id, role, turnId, text: `${role} ${id}`, createdTime: undefined, citations: [], steps: [] },
    end: role === "assistant" ? end : undefined,
  });
  const kept = [
    message("1", "user", "a"),
    message("2", "assistant", "a"),
    message("3", "user", "b"),
    message("4", "user", "c"),
  ];
  const turns = turnsOf(kept, "c");
  assert.deepEqual(
    turns.map(({ question, text, phase, messageId }) => [question, text, phase, messageId]),
    [
      ["user 1", "assistant 2", "ended", "2"],
      ["user 3", "", "ended", ""],
      ["user 4", "", "running", ""],
    ],
  );
  assert.equal(turnsOf(kept)[2]?.phase, "ended");
});
