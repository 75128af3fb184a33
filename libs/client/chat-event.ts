import type {
  ChatResponse,
  ToolCallRequested,
  ToolResult as ToolResultMessage,
  TurnEnd as TurnEndMessage,
} from "@headwater/proto/connect/headwater/v1/conversation";
import type { CitationEvent, PassagesEvent, PromptReference, TextEvent, Usage } from "./answer.ts";
import { toCitation, toPassages, toPromptReference, toUsage } from "./answer.ts";
import { toDate } from "./document.ts";
import type { Memory, MemoryDecision } from "./memories.ts";
import { toDecision, toMemory } from "./memories.ts";

/** The turn has begun; always first. */
export interface StartedEvent {
  readonly type: "started";
  readonly turnId: string;
  /** Empty where the turn is stateless. */
  readonly conversationId: string;
  /** Id that the answer's message will have; also for feedback. */
  readonly messageId: string;
  /** The question as it is searched, where it was rewritten against the history; else empty. */
  readonly standaloneQuestion: string;
  /** The agent that answers; empty: none. */
  readonly agentId: string;
}

/** What memory gave to the turn. */
export interface RecalledEvent {
  readonly type: "recalled";
  /** Nearest first. */
  readonly memories: readonly Memory[];
}

/** Reasoning that the model shows, to be appended within one step; no part of the answer. */
export interface ThoughtEvent {
  readonly type: "thought";
  readonly text: string;
}

export interface ToolCall {
  /** Unique within the turn. */
  readonly callId: string;
  readonly tool: string;
  /** JSON as the model wrote it. */
  readonly arguments: string;
}

/** The model calls a tool. */
export interface ToolCallEvent extends ToolCall {
  readonly type: "tool_call";
}

/** A call waits for `turns.decide`. */
export interface ApprovalEvent {
  readonly type: "approval";
  readonly callId: string;
  /** When waiting ends, and the call is refused. */
  readonly deadline: Date | undefined;
}

export interface ToolResult {
  readonly callId: string;
  /** What the model reads. */
  readonly text: string;
  /** True: the tool failed, was refused or is not known; `text` says why. */
  readonly failed: boolean;
  /** True: the result was longer than the model is given. */
  readonly truncated: boolean;
  readonly elapsedMs: number;
}

/** What a tool said. */
export interface ToolResultEvent extends ToolResult {
  readonly type: "tool_result";
}

/** What memory took from the turn. */
export interface RememberedEvent {
  readonly type: "remembered";
  /** One for each statement that was weighed, kept or not. */
  readonly decisions: readonly MemoryDecision[];
}

export const turnEndReasons = [
  "complete",
  "length",
  "no_support",
  "refused",
  "step_limit",
  "token_limit",
  "time_limit",
  "cost_limit",
  "loop",
  "cancelled",
  "failed",
] as const;
export type TurnEndReason = (typeof turnEndReasons)[number];

/** Why a turn failed. */
export interface TurnError {
  /** Stable, HW_…. */
  readonly reason: string;
  readonly message: string;
  readonly action: string;
  /** gRPC status code. */
  readonly code: number;
}

export interface TurnEnd {
  readonly reason: TurnEndReason;
  /** Of all model calls of the turn. */
  readonly usage: Usage;
  readonly model: string;
  /** By step: "search", "first_token", "total", and others. */
  readonly milliseconds: Readonly<Record<string, number>>;
  /** Undefined where the model read no prompt. */
  readonly prompt: PromptReference | undefined;
  /** Steps of the agent. */
  readonly steps: number;
  /** Set where the reason is "failed". */
  readonly error: TurnError | undefined;
}

/** The end of the turn; always last, also when the turn failed. */
export interface TurnEndEvent extends TurnEnd {
  readonly type: "end";
}

/** What happens in a turn. */
export type ChatEvent = {
  /** From 1, one more with each event of the turn. */
  readonly sequence: number;
  /** Step of the agent's loop, from 1; 0 outside of it. */
  readonly step: number;
} & (
  | StartedEvent
  | RecalledEvent
  | PassagesEvent
  | ThoughtEvent
  | ToolCallEvent
  | ApprovalEvent
  | ToolResultEvent
  | TextEvent
  | CitationEvent
  | RememberedEvent
  | TurnEndEvent
);

/** undefined for a message that a newer server sends and this client does not know. */
export function toChatEvent(message: ChatResponse | undefined): ChatEvent | undefined {
  if (!message) return undefined;
  const { sequence, step, event } = message;
  const place = { sequence: Number(sequence), step };
  switch (event.case) {
    case "started": {
      const { turnId, conversationId, messageId, standaloneQuestion, agentId } = event.value;
      return { ...place, type: "started", turnId, conversationId, messageId, standaloneQuestion, agentId };
    }
    case "recalled":
      return { ...place, type: "recalled", memories: event.value.memories.map(toMemory) };
    case "passages":
      return { ...place, ...toPassages(event.value) };
    case "thought":
      return { ...place, type: "thought", text: event.value.text };
    case "toolCall":
      return { ...place, type: "tool_call", ...toToolCall(event.value) };
    case "approval":
      return {
        ...place,
        type: "approval",
        callId: event.value.callId,
        deadline: toDate(event.value.deadline),
      };
    case "toolResult":
      return { ...place, type: "tool_result", ...toToolResult(event.value) };
    case "text":
      return { ...place, type: "text", text: event.value.text };
    case "citation":
      return { ...place, ...toCitation(event.value) };
    case "remembered":
      return { ...place, type: "remembered", decisions: event.value.decisions.map(toDecision) };
    case "end":
      return { ...place, type: "end", ...toTurnEnd(event.value) };
    default:
      return undefined;
  }
}

export function toToolCall(message: ToolCallRequested): ToolCall {
  return { callId: message.callId, tool: message.tool, arguments: message.arguments };
}

export function toToolResult({ callId, text, failed, truncated, elapsedMs }: ToolResultMessage): ToolResult {
  return { callId, text, failed, truncated, elapsedMs };
}

/** Reasons are numbered from 1 in the order of `turnEndReasons`; one that a newer server added reads as "complete". */
export function toTurnEnd(message: TurnEndMessage): TurnEnd {
  const { reason, usage, model, milliseconds, prompt, steps, error } = message;
  return {
    reason: turnEndReasons[reason - 1] ?? "complete",
    usage: toUsage(usage),
    ...{ model, milliseconds, steps },
    prompt: toPromptReference(prompt),
    error: error && {
      ...{ reason: error.reason, message: error.message },
      ...{ action: error.action, code: error.code },
    },
  };
}
