import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModel } from "./language-model.ts";
import type { ServiceModelOptions } from "./provider-model.ts";
import { createProviderModel } from "./provider-model.ts";

const provider = "openai-compatible";

export interface OpenAiCompatibleOptions extends ServiceModelOptions {
  /** "/chat/completions" is appended. */
  readonly baseUrl: string;
}

/** Adapter: any service that speaks the OpenAI chat completions protocol, such as vLLM, Ollama or llama.cpp. */
export function createOpenAiCompatibleModel(options: OpenAiCompatibleOptions): LanguageModel {
  const { apiKey, baseUrl, model } = options;
  const service = createOpenAICompatible({
    name: provider,
    baseURL: baseUrl,
    includeUsage: true,
    ...(apiKey === undefined ? {} : { apiKey }),
  });
  return createProviderModel(provider, service.chatModel(model), options, ({ topK }) =>
    // No part of OpenAI's protocol, but of vLLM's, llama.cpp's and others'.
    topK === undefined ? undefined : { [provider]: { top_k: topK } },
  );
}
