import type {
  ChatEvent,
  CitationEvent,
  Hit,
  Memory,
  MemoryDecision,
  Message,
  ToolCall,
  ToolResult,
  TurnEnd,
  TurnEndReason,
} from "@headwater/client";
import type { Fault } from "./fault.ts";

/** Something that the model thought, in one step of the agent's loop. */
export interface ThoughtStep {
  readonly type: "thought";
  readonly step: number;
  readonly text: string;
}

/** A tool that the model called. */
export interface CallStep {
  readonly type: "call";
  readonly call: ToolCall;
  /** Set while the call waits for somebody's approval. */
  readonly approval: { readonly deadline: Date | undefined } | undefined;
  readonly result: ToolResult | undefined;
}

export type TurnStep = ThoughtStep | CallStep;

/** A question in a conversation, and what became of it so far. */
export interface Turn {
  /** The same for as long as the turn is shown. */
  readonly key: string;
  /** Empty until the server has begun it. */
  readonly turnId: string;
  /** Of the answer. */
  readonly messageId: string;
  readonly question: string;
  /** The question as it was searched, where it was rewritten; else empty. */
  readonly standaloneQuestion: string;
  /** "cut-off": the server could not be followed any further, `fault` says why. */
  readonly phase: "running" | "ended" | "cut-off";
  readonly text: string;
  readonly citations: readonly CitationEvent[];
  readonly hits: readonly Hit[];
  readonly steps: readonly TurnStep[];
  readonly recalled: readonly Memory[];
  readonly decisions: readonly MemoryDecision[];
  readonly end: TurnEnd | undefined;
  readonly fault: Fault | undefined;
  /** Of the last event that was read; where following goes on. */
  readonly sequence: number;
}

export function newTurn(key: string, question: string): Turn {
  return {
    ...{ key, question, turnId: "", messageId: "", standaloneQuestion: "", phase: "running", text: "" },
    ...{ citations: [], hits: [], steps: [], recalled: [], decisions: [] },
    ...{ end: undefined, fault: undefined, sequence: 0 },
  };
}

export function withChatEvent(before: Turn, event: ChatEvent): Turn {
  const turn = { ...before, sequence: event.sequence };
  switch (event.type) {
    case "started": {
      const { turnId, messageId, standaloneQuestion } = event;
      return { ...turn, turnId, messageId, standaloneQuestion };
    }
    case "recalled":
      return { ...turn, recalled: event.memories };
    case "passages":
      return { ...turn, hits: event.hits };
    case "thought":
      return { ...turn, steps: withThought(turn.steps, event.step, event.text) };
    case "tool_call": {
      const { callId, tool, arguments: given } = event;
      const call: CallStep = {
        type: "call",
        call: { callId, tool, arguments: given },
        approval: undefined,
        result: undefined,
      };
      return { ...turn, steps: [...turn.steps, call] };
    }
    case "approval":
      return withCall(turn, event.callId, { approval: { deadline: event.deadline } });
    case "tool_result":
      return withCall(turn, event.callId, { approval: undefined, result: event });
    case "text":
      return { ...turn, text: turn.text + event.text };
    case "citation":
      return { ...turn, citations: [...turn.citations, event] };
    case "remembered":
      return { ...turn, decisions: event.decisions };
    case "end":
      return { ...turn, phase: "ended", end: event, fault: undefined };
  }
}

function withThought(steps: readonly TurnStep[], step: number, text: string): readonly TurnStep[] {
  const last = steps.at(-1);
  if (last?.type === "thought" && last.step === step)
    return [...steps.slice(0, -1), { ...last, text: last.text + text }];
  return [...steps, { type: "thought", step, text }];
}

function withCall(turn: Turn, callId: string, change: Partial<CallStep>): Turn {
  return {
    ...turn,
    steps: turn.steps.map((step) =>
      step.type === "call" && step.call.callId === callId ? { ...step, ...change } : step,
    ),
  };
}

/**
 * The turns of a conversation as it was kept. A turn that is not answered yet is running if it is the active one.
 * @param activeTurnId empty: none
 */
export function turnsOf(messages: readonly Message[], activeTurnId = ""): Turn[] {
  const turns: Turn[] = [];
  for (const message of messages) {
    if (message.role === "user") {
      const phase = message.turnId === activeTurnId ? "running" : "ended";
      turns.push({ ...newTurn(message.id, message.text), turnId: message.turnId, phase });
      continue;
    }
    const last = turns.at(-1);
    const open = last && last.messageId === "" ? turns.pop() : undefined;
    turns.push(withAnswer(open ?? newTurn(message.id, ""), message));
  }
  return turns;
}

function withAnswer(turn: Turn, message: Message): Turn {
  const { id: messageId, turnId, text, citations, end } = message;
  const steps = message.steps.map(
    ({ call, result }): CallStep => ({ type: "call", call, approval: undefined, result }),
  );
  return { ...turn, messageId, turnId, text, citations, steps, end, phase: "ended" };
}

/** Why a turn ended, where that is worth a word; empty where it simply is complete. */
export const endNotes: Readonly<Record<TurnEndReason, string>> = {
  complete: "",
  no_support: "",
  failed: "",
  length: "The answer reached its longest length and ends here.",
  refused: "The model would not answer this.",
  step_limit: "The agent used up its steps and ended here.",
  token_limit: "The agent used up its tokens and ended here.",
  time_limit: "The agent's time was over.",
  cost_limit: "The agent reached the limit of its cost.",
  loop: "The agent went in a circle and was ended.",
  cancelled: "Stopped here, as you asked.",
};
