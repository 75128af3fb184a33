import type { LanguageModel, ModelEvent, ModelRequest } from "@headwater/language-model";

/** For tests: a model that does as told. */
export interface ModelDouble extends LanguageModel {
  /** Requests as they came in. */
  readonly requests: ModelRequest[];
  /** What the next requests are answered with. */
  script: (request: ModelRequest, signal: AbortSignal) => AsyncIterable<ModelEvent>;
}

/** Says each text, and ends. */
export async function* saying(model: string, ...texts: readonly string[]): AsyncGenerator<ModelEvent> {
  for (const text of texts) yield { type: "text", text };
  yield {
    type: "finish",
    reason: "complete",
    usage: { inputTokens: 1000, outputTokens: 200, cost: 0 },
    model,
  };
}

export function createModelDouble(name: string, change: Partial<LanguageModel> = {}): ModelDouble {
  const double: ModelDouble = {
    name,
    provider: "openai-compatible",
    toolCalling: "native",
    contextTokens: 8192,
    close: async () => {},
    ...change,
    requests: [],
    script: () => saying(name, "Yes."),
    generate(request, signal) {
      double.requests.push(request);
      return double.script(request, signal);
    },
  };
  return double;
}

/** The least that a model can be asked. */
export const plainRequest: ModelRequest = {
  question: "Is it?",
  sources: [],
  messages: [{ role: "user", text: "Is it?" }],
  maxOutputTokens: 100,
};

/** Fails before the first event, or after the texts. */
export async function* failing(error: Error, ...texts: readonly string[]): AsyncGenerator<ModelEvent> {
  for (const text of texts) yield { type: "text", text };
  throw error;
}
