import type { LanguageModel, ServiceModelOptions } from "@headwater/language-model";
import {
  createAnthropicModel,
  createCohereModel,
  createOpenAiCompatibleModel,
  createOpenAiModel,
} from "@headwater/language-model";
import type { ModelSettings } from "./model-settings.ts";

/** The adapter that the settings name. */
export function createServiceModel(settings: ModelSettings): LanguageModel {
  const { baseUrl, apiKey, ...rest } = settings;
  const options: ServiceModelOptions = {
    ...rest,
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(baseUrl === undefined ? {} : { baseUrl }),
  };
  switch (settings.provider) {
    case "openai-compatible":
      // The settings are refused where it is missing.
      return createOpenAiCompatibleModel({ ...options, baseUrl: baseUrl ?? "" });
    case "openai":
      return createOpenAiModel(options);
    case "anthropic":
      return createAnthropicModel(options);
    case "cohere":
      return createCohereModel(options);
  }
}
