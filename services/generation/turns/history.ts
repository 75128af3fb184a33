import type { LanguageModel, ModelMessage, ModelUsage } from "@headwater/language-model";
import { withoutCitationMarks } from "@headwater/language-model";
import type { Message } from "@headwater/proto/services/headwater/v1/conversation";
import { MessageRole } from "@headwater/proto/services/headwater/v1/conversation";
import { tokensOf } from "../answer/history-room.ts";
import { noUsage } from "./model-text.ts";
import { summarize, summaryMessage } from "./summary.ts";

/** What is kept of a conversation's beginning. */
export interface HistorySummary {
  readonly text: string;
  /** Place of the last message that it stands for; 0: none. */
  readonly through: number;
}

/** What came before a turn, as it is kept. */
export interface KeptHistory {
  readonly summary: HistorySummary;
  /** After those of the summary, oldest first. */
  readonly messages: readonly SaidMessage[];
}

export interface SaidMessage extends Pick<Message, "role" | "text" | "turnId"> {
  /** From 1. */
  readonly place: number;
}

/** What a turn reads of it. */
export interface History {
  readonly messages: readonly ModelMessage[];
  /** To be kept in place of the one before; undefined: it still holds. */
  readonly summary: HistorySummary | undefined;
  /** Of the model that summed up. */
  readonly usage: ModelUsage;
}

/** Shares of the budget: what the newest turns fill after summing up, so that it comes seldom; and the summary's. */
const keptShare = 0.5;
const summaryShare = 0.25;

/**
 * Fits what came before into a budget of tokens: the newest turns whole, those before as a summary that grows.
 *
 * @param model undefined: sums up by rule alone
 */
export async function fitHistory(
  { summary, messages }: KeptHistory,
  budget: number,
  model: LanguageModel | undefined,
  onFailure: (thrown: unknown) => void,
  signal: AbortSignal,
): Promise<History> {
  const turns = groupByTurn(messages);
  const all = turns.flatMap(toModelMessages);
  if (tokensOf([...summaryMessage(summary.text), ...all]) <= budget) {
    return { messages: [...summaryMessage(summary.text), ...all], summary: undefined, usage: noUsage };
  }
  const kept = newestTurns(turns, budget);
  const folded = turns.slice(0, turns.length - kept.length);
  const { text, usage } = await summarize(
    summary.text,
    folded.flatMap(toModelMessages),
    { model, maxTokens: Math.floor(budget * summaryShare), onFailure },
    signal,
  );
  return {
    messages: [...summaryMessage(text), ...kept.flatMap(toModelMessages)],
    summary: { text, through: folded.at(-1)?.at(-1)?.place ?? summary.through },
    usage,
  };
}

function groupByTurn(messages: readonly SaidMessage[]): SaidMessage[][] {
  const turns: SaidMessage[][] = [];
  for (const message of messages) {
    const last = turns.at(-1);
    if (last && message.turnId !== "" && last[0]?.turnId === message.turnId) last.push(message);
    else turns.push([message]);
  }
  return turns;
}

/** The last one whole where that is possible at all. */
function newestTurns(turns: readonly SaidMessage[][], budget: number): SaidMessage[][] {
  let first = turns.length;
  let used = 0;
  for (let at = turns.length - 1; at >= 0; at -= 1) {
    used += tokensOf(toModelMessages(turns[at] ?? []));
    const share = at === turns.length - 1 ? 1 - summaryShare : keptShare;
    if (used > budget * share) break;
    first = at;
  }
  return turns.slice(first);
}

/**
 * Without citation markers: their numbers are those of another turn's sources. A message that was never answered is
 * left out: it was sent again, or given up.
 */
function toModelMessages(turn: readonly SaidMessage[]): ModelMessage[] {
  const answer = turn.find(({ role }) => role === MessageRole.ASSISTANT);
  if (answer?.text.trim() === "") return [];
  return turn.map(({ role, text }) =>
    role === MessageRole.ASSISTANT
      ? { role: "assistant", text: withoutCitationMarks(text) }
      : { role: "user", text },
  );
}
