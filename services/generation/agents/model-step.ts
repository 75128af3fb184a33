import type {
  FinishReason,
  LanguageModel,
  ModelRequest,
  ModelUsage,
  ToolCall,
} from "@headwater/language-model";
import { estimateTokens } from "@headwater/text";
import { tokensOf } from "../answer/history-room.ts";
import type { TurnEvent } from "../turns/turn.ts";
import type { AnswerWriter } from "./answer-writer.ts";
import { createLinkFilter } from "./link-filter.ts";
import type { LinkPolicy } from "./link-policy.ts";
import { createStepReader } from "./step-text.ts";

export interface ModelStepOptions {
  readonly model: LanguageModel;
  readonly request: ModelRequest;
  readonly protocol: "native" | "text";
  /** True: no tools are offered, so all that is not marked as a thought is the answer. */
  readonly last: boolean;
  /** Makes the writer once the answer begins. */
  readonly startAnswer: () => AnswerWriter;
  readonly policy: LinkPolicy;
  /** Makes the id of a call unique within the turn. */
  readonly callId: (own: string) => string;
  /** Fires when the turn ends. */
  readonly signal: AbortSignal;
  /** Fires when it is time to come to an end: breaks the step off unless it has begun to answer. */
  readonly wrapUp: AbortSignal;
}

/** What one call of the model came to. */
export interface ModelStepOutcome {
  /** As the model wrote it, for its own next reading. */
  readonly text: string;
  readonly calls: readonly ToolCall[];
  /** True: the answer was given; calls beside it come too late. */
  readonly answered: boolean;
  /** undefined: broken off by `wrapUp`, or by `signal`. */
  readonly reason: FinishReason | undefined;
  readonly usage: ModelUsage;
  /** Who wrote it. */
  readonly model: string;
}

/**
 * One call of the model, streamed. What stands behind the answer's label is streamed as the answer, a token at a time.
 * What is not marked can only be told at the end of the step: with calls beside it, it was a thought, else the answer;
 * until then it is held back, since what was shown as an answer cannot be taken back. A last step has no calls, so there
 * everything is streamed at once.
 */
export async function* runModelStep(options: ModelStepOptions): AsyncGenerator<TurnEvent, ModelStepOutcome> {
  const { model, request, protocol, last, policy, signal, wrapUp } = options;
  const reader = createStepReader(protocol);
  const thoughts = createLinkFilter(policy);
  const ending = new AbortController();
  const breakOff = () => {
    if (!answer) ending.abort();
  };
  let answer: AnswerWriter | undefined;
  let written = "";
  let loose = "";
  let finish: { reason: FinishReason; usage: ModelUsage; model: string } | undefined;
  const calls: ToolCall[] = [];

  async function* think(text: string): AsyncGenerator<TurnEvent> {
    if (text !== "") yield { $case: "thought", value: { text } };
  }
  async function* say(text: string): AsyncGenerator<TurnEvent> {
    answer ??= options.startAnswer();
    yield* answer.write(text);
  }
  async function* call(made: ToolCall): AsyncGenerator<TurnEvent> {
    yield* think(thoughts.push(loose) + thoughts.end());
    loose = "";
    const own = { ...made, id: options.callId(made.id) };
    calls.push(own);
    const shown = own.arguments.slice(0, maxShown);
    yield { $case: "toolCall", value: { callId: own.id, tool: own.name, arguments: shown } };
  }
  async function* read(pieces: ReturnType<typeof reader.push>): AsyncGenerator<TurnEvent> {
    for (const piece of pieces) {
      if (piece.type === "thought") yield* think(thoughts.push(piece.text));
      else if (piece.type === "call") yield* call({ id: "", name: piece.name, arguments: piece.arguments });
      else if (piece.type === "answer") {
        yield* think(thoughts.push(loose) + thoughts.end());
        loose = "";
        yield* say(piece.text);
      } else if (last) yield* say(piece.text);
      else loose += piece.text;
    }
  }

  wrapUp.addEventListener("abort", breakOff, { once: true });
  if (wrapUp.aborted && !last) breakOff();
  try {
    for await (const event of model.generate(request, AbortSignal.any([signal, ending.signal]))) {
      if (event.type === "thought") yield* think(thoughts.push(event.text));
      else if (event.type === "tool-call") yield* call(event.call);
      else if (event.type === "finish") finish = event;
      else if (event.type === "text") {
        written += event.text;
        yield* read(reader.push(event.text));
      }
    }
  } catch (thrown) {
    if (!signal.aborted && !ending.signal.aborted) throw thrown;
  } finally {
    wrapUp.removeEventListener("abort", breakOff);
  }
  yield* read(reader.end());
  // Plain text without a call is the answer; of the text protocol, where nothing else is labelled.
  if (loose.trim() !== "" && calls.length === 0 && finish && !(protocol === "text" && reader.labelled))
    yield* say(loose);
  else yield* think(thoughts.push(loose));
  yield* think(thoughts.end());
  if (answer) yield* answer.end();

  return {
    text: written,
    calls,
    answered: answer !== undefined && answer.text.trim() !== "",
    reason: finish?.reason,
    usage: finish?.usage ?? {
      inputTokens: tokensOf(request.messages),
      outputTokens: estimateTokens(written),
      cost: 0,
    },
    model: finish?.model ?? model.name,
  };
}

/** Of a call's arguments, in code units. */
const maxShown = 8192;
