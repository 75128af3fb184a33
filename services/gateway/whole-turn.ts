import type { ChatEvent, CitationEvent, Hit, MemoryDecision, ToolStep, TurnEnd } from "@headwater/client";
import { codeOf, HeadwaterError, status } from "@headwater/errors";

/** All that a turn streamed, put together. */
export interface WholeTurn {
  readonly started: Extract<ChatEvent, { type: "started" }>;
  readonly text: string;
  readonly citations: readonly CitationEvent[];
  /** The passages that the answer may cite. */
  readonly hits: readonly Hit[];
  readonly steps: readonly ToolStep[];
  readonly remembered: readonly MemoryDecision[];
  readonly end: TurnEnd;
}

/** @throws HeadwaterError also where the turn failed */
export async function wholeTurn(events: AsyncIterable<ChatEvent>): Promise<WholeTurn> {
  let started: WholeTurn["started"] | undefined;
  let text = "";
  const citations: CitationEvent[] = [];
  let hits: readonly Hit[] = [];
  const steps: ToolStep[] = [];
  const remembered: MemoryDecision[] = [];
  let end: TurnEnd | undefined;
  for await (const event of events) {
    if (event.type === "started") started = event;
    else if (event.type === "text") text += event.text;
    else if (event.type === "citation") citations.push(event);
    else if (event.type === "passages") hits = event.hits;
    else if (event.type === "tool_call") steps.push({ call: event, result: undefined });
    else if (event.type === "remembered") remembered.push(...event.decisions);
    else if (event.type === "end") end = event;
    else if (event.type === "tool_result") {
      const at = steps.findIndex(({ call }) => call.callId === event.callId);
      const step = steps[at];
      if (step) steps[at] = { call: step.call, result: event };
    }
  }
  if (!started || !end) throw new TypeError("a turn ended without its start or its end");
  if (end.reason === "failed") throw turnFailure(end);
  return { started, text, citations, hits, steps, remembered, end };
}

/** Why a turn failed. */
export function turnFailure({ error }: TurnEnd): HeadwaterError {
  return new HeadwaterError({
    code: error ? codeOf(error.code) : status.UNKNOWN,
    reason: error?.reason.startsWith("HW_") ? (error.reason as `HW_${string}`) : "HW_TURN_FAILED",
    message: error?.message ?? "The turn failed.",
    action: error?.action ?? "",
  });
}
