import type { LanguageModel, ModelUsage } from "@headwater/language-model";

export interface WritingTask {
  readonly instructions: string;
  readonly text: string;
  readonly maxOutputTokens: number;
}

/** True of models that write what they are asked for, and not answers from sources alone. */
export function writesFreely(model: LanguageModel): boolean {
  return model.toolCalling !== "none";
}

/** Has a model write a short text, as the work behind a turn needs it. */
export async function writeText(
  model: LanguageModel,
  { instructions, text, maxOutputTokens }: WritingTask,
  signal: AbortSignal,
): Promise<{ text: string; usage: ModelUsage }> {
  const pieces: string[] = [];
  let usage: ModelUsage = noUsage;
  const request = {
    question: text,
    sources: [],
    messages: [
      { role: "system" as const, text: instructions },
      { role: "user" as const, text },
    ],
    maxOutputTokens,
    temperature: 0,
  };
  for await (const event of model.generate(request, signal)) {
    if (event.type === "text") pieces.push(event.text);
    if (event.type === "finish") usage = event.usage;
  }
  return { text: pieces.join(""), usage };
}

export const noUsage: ModelUsage = { inputTokens: 0, outputTokens: 0, cost: 0 };

export function sumUsage(...usages: readonly (Partial<ModelUsage> | undefined)[]): ModelUsage {
  return usages.reduce<ModelUsage>(
    (sum, usage) => ({
      inputTokens: sum.inputTokens + (usage?.inputTokens ?? 0),
      outputTokens: sum.outputTokens + (usage?.outputTokens ?? 0),
      cost: sum.cost + (usage?.cost ?? 0),
    }),
    noUsage,
  );
}
