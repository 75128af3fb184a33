import { createCohere } from "@ai-sdk/cohere";
import type { LanguageModel } from "./language-model.ts";
import type { ServiceModelOptions } from "./provider-model.ts";
import { createProviderModel } from "./provider-model.ts";

/** Adapter: Cohere's Chat, version 2. */
export function createCohereModel(options: ServiceModelOptions): LanguageModel {
  const { apiKey = "", baseUrl, model } = options;
  const service = createCohere({ apiKey, baseURL: baseUrl ?? "https://api.cohere.com/v2" });
  return createProviderModel("cohere", service.languageModel(model), options);
}
