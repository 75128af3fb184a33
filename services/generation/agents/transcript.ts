import { invalidArgument } from "@headwater/errors";
import type { ModelMessage, ToolCall } from "@headwater/language-model";
import { estimateTokens } from "@headwater/text";
import { tokensOf } from "../answer/history-room.ts";
import { cutToTokens, quoteAsData } from "./quotation.ts";
import { answerLabel } from "./step-text.ts";

/** What a tool said to one call. */
export interface CallResult {
  readonly call: ToolCall;
  readonly text: string;
  readonly failed: boolean;
  readonly truncated: boolean;
}

/** What a model reads in a turn, step by step. */
export interface Transcript {
  /** Adds a step: what the model wrote and called, and what came of it. */
  addStep(text: string, results: readonly CallResult[]): void;
  /** Adds words of Headwater's own. */
  addNotice(text: string): void;
  /**
   * All of it, within the model's context: old results are shortened first, then the oldest history goes.
   *
   * @param outputTokens room that stays for what the model writes
   * @throws HeadwaterError INVALID_ARGUMENT, HW_QUESTION_TOO_LONG where not even the question fits
   */
  messages(outputTokens: number): readonly ModelMessage[];
}

export interface TranscriptOptions {
  readonly rules: string;
  readonly history: readonly ModelMessage[];
  readonly question: string;
  readonly protocol: "native" | "text";
  readonly boundary: string;
  /** Longest prompt and answer together; undefined: no bound is known. */
  readonly contextTokens: number | undefined;
}

interface Step {
  readonly text: string;
  readonly results: readonly CallResult[];
  /** Tokens that each result may have; shrinks. */
  resultTokens: number;
}

/** Room left for the difference between the estimate and the model's own tokenizer. */
const estimateMargin = 0.85;
/** Tokens of an old result, once there is no room for more, and at last. */
const shortenings = [256, 32] as const;

export function createTranscript(options: TranscriptOptions): Transcript {
  const { rules, question, protocol, boundary } = options;
  const system: ModelMessage = { role: "system", text: rules };
  const asked: ModelMessage = { role: "user", text: question };
  let history = options.history.map(asItWasWritten);
  const steps: (Step | string)[] = [];

  const layOut = (): ModelMessage[] => [
    system,
    ...history,
    asked,
    ...steps.flatMap((step): ModelMessage[] =>
      typeof step === "string" ? [{ role: "user", text: step }] : layOutStep(step, protocol, boundary),
    ),
  ];
  /** True where something could be shortened. */
  const shorten = (): boolean => {
    for (const tokens of shortenings) {
      const found = steps.find((step) => typeof step !== "string" && step.resultTokens > tokens);
      // The last step is what the model is about to read: it goes last.
      if (typeof found === "object" && found !== steps.at(-1)) {
        found.resultTokens = tokens;
        return true;
      }
    }
    if (history.length > 0) {
      history = history.slice(1);
      return true;
    }
    const last = steps.findLast((step) => typeof step !== "string");
    if (last === undefined || last.resultTokens <= shortenings[1]) return false;
    const longest = Math.max(0, ...last.results.map(({ text }) => estimateTokens(text)));
    last.resultTokens = Math.max(shortenings[1], Math.floor(Math.min(last.resultTokens, longest) / 2));
    return true;
  };

  return {
    addStep(text, results) {
      steps.push({ text, results, resultTokens: Number.POSITIVE_INFINITY });
    },
    addNotice(text) {
      steps.push(text);
    },
    messages(outputTokens) {
      const room = ((options.contextTokens ?? Number.POSITIVE_INFINITY) - outputTokens) * estimateMargin;
      let messages = layOut();
      while (tokensOf(messages) > room) {
        if (!shorten()) {
          throw invalidArgument(
            "HW_QUESTION_TOO_LONG",
            "The question, the agent's preamble and its tools are longer than the model can read.",
            "Ask a shorter question, give the agent fewer tools, or name a model with more room.",
          );
        }
        messages = layOut();
      }
      return messages;
    },
  };
}

/** Answers are kept without their label; a model that saw them so would leave it out as well. */
function asItWasWritten(message: ModelMessage): ModelMessage {
  return message.role === "assistant" ? { ...message, text: `${answerLabel} ${message.text}` } : message;
}

function layOutStep(step: Step, protocol: "native" | "text", boundary: string): ModelMessage[] {
  const results = step.results.map(({ call, text, failed, truncated }) => {
    const cut = cutToTokens(text, step.resultTokens);
    const note = cut.truncated
      ? "\n(Shortened to make room; call the tool again if you need it.)"
      : truncated
        ? "\n(The result was longer than you are given; ask for less, or for a part.)"
        : "";
    return { call, failed, text: quoteAsData("RESULT", cut.text, boundary) + note };
  });
  if (protocol === "native") {
    return [
      { role: "assistant", text: step.text, toolCalls: step.results.map(({ call }) => call) },
      ...results.map(
        ({ call, text, failed }): ModelMessage => ({
          role: "tool",
          callId: call.id,
          name: call.name,
          text,
          failed,
        }),
      ),
    ];
  }
  const observed = results.map(
    ({ call, failed, text }) => `Observation from ${call.name}${failed ? " (failed)" : ""}:\n${text}`,
  );
  return [
    { role: "assistant", text: step.text },
    { role: "user", text: observed.join("\n\n") },
  ];
}
