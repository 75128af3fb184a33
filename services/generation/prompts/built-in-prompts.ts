import type { PromptVariable } from "./prompt-template.ts";

/** A prompt that comes with Headwater, as version 0. */
export interface BuiltInPrompt {
  readonly name: string;
  readonly text: string;
  readonly variables: readonly PromptVariable[];
}

const date: PromptVariable = { name: "date", description: "Today, as 2026-11-21 (UTC)", required: false };

/**
 * What models are told of their task. The rules on citing, on refusing and on sources that try to give orders are no part of
 * these texts: they stand beside whatever is told here, and cannot be edited away.
 */
export const builtInPrompts: readonly BuiltInPrompt[] = [
  {
    name: "answer",
    text: `You answer questions from numbered sources. Use only what the sources say: do not use other knowledge, and do not guess. Answer briefly, in the language of the question.`,
    variables: [date],
  },
  {
    name: "chat",
    text: `You are in a conversation, and answer the last message from numbered sources. Use only what the sources and the conversation say: do not use other knowledge, and do not guess. Answer briefly, in the language of the last message.`,
    variables: [date],
  },
];
