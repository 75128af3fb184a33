import type { TurnEnd } from "@headwater/proto/services/headwater/v1/conversation";
import { TurnEndReason } from "@headwater/proto/services/headwater/v1/conversation";
import type { AnswerEnd, DeepPartial } from "@headwater/proto/services/headwater/v1/generation";
import { EndReason } from "@headwater/proto/services/headwater/v1/generation";
import type { AnswerTools } from "../answer/answer.ts";
import { answer } from "../answer/answer.ts";
import type { RunTurn } from "./turn.ts";

const endReasons: Readonly<Record<EndReason, TurnEndReason>> = {
  [EndReason.UNSPECIFIED]: TurnEndReason.UNSPECIFIED,
  [EndReason.COMPLETE]: TurnEndReason.COMPLETE,
  [EndReason.LENGTH]: TurnEndReason.LENGTH,
  [EndReason.NO_SUPPORT]: TurnEndReason.NO_SUPPORT,
  [EndReason.REFUSED]: TurnEndReason.REFUSED,
};

/** Answers turns from the documents, without an agent: as Answer does, with the history and what is remembered. */
export function createAnswerTurn(tools: AnswerTools): RunTurn {
  return async function* answerTurn(turn, { signal }) {
    const { standaloneQuestion: question, message, history, memories, model, ...task } = turn;
    const promptKey = `${turn.owner}/${turn.conversationId || turn.id}`;
    const conversation = { message, history, memories: memories.map(({ text }) => text) };
    for await (const { event } of answer(
      { ...task, question, conversation, promptKey },
      model,
      tools,
      signal,
    )) {
      if (event?.$case === "end") yield { step: 0, event: { $case: "end", value: endOf(event.value ?? {}) } };
      else if (event) yield { step: 0, event };
    }
  };
}

function endOf({ reason, answerId: _, ...end }: DeepPartial<AnswerEnd>): DeepPartial<TurnEnd> {
  return { ...end, reason: endReasons[reason ?? EndReason.UNSPECIFIED] };
}
