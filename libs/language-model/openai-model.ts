import { createOpenAI } from "@ai-sdk/openai";
import type { LanguageModel } from "./language-model.ts";
import type { ServiceModelOptions } from "./provider-model.ts";
import { createProviderModel } from "./provider-model.ts";

/** Adapter: OpenAI, through chat completions, which keep nothing on the service between two requests. */
export function createOpenAiModel(options: ServiceModelOptions): LanguageModel {
  const { apiKey = "", baseUrl, model } = options;
  const service = createOpenAI({ apiKey, baseURL: baseUrl ?? "https://api.openai.com/v1" });
  return createProviderModel("openai", service.chat(model), options);
}
