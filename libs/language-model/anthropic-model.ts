import { createAnthropic } from "@ai-sdk/anthropic";
import type { LanguageModel } from "./language-model.ts";
import type { ServiceModelOptions } from "./provider-model.ts";
import { createProviderModel } from "./provider-model.ts";

/** Adapter: Anthropic's Messages. */
export function createAnthropicModel(options: ServiceModelOptions): LanguageModel {
  const { apiKey = "", baseUrl, model } = options;
  const service = createAnthropic({ apiKey, baseURL: baseUrl ?? "https://api.anthropic.com/v1" });
  return createProviderModel("anthropic", service.languageModel(model), options);
}
