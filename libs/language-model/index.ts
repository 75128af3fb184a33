export { createAnthropicModel } from "./anthropic-model.ts";
export { withoutCitationMarks } from "./candidate-sentences.ts";
export { createCohereModel } from "./cohere-model.ts";
export type { ExtractiveModelOptions } from "./extractive-model.ts";
export { createExtractiveModel, noSupportAnswer } from "./extractive-model.ts";
export type {
  FinishReason,
  LanguageModel,
  ModelEvent,
  ModelMessage,
  ModelRequest,
  ModelUsage,
  Source,
  ToolCall,
  ToolCalling,
  ToolDefinition,
} from "./language-model.ts";
export type { OpenAiCompatibleOptions } from "./openai-compatible-model.ts";
export { createOpenAiCompatibleModel } from "./openai-compatible-model.ts";
export { createOpenAiModel } from "./openai-model.ts";
export type { ServiceModelOptions } from "./provider-model.ts";
export type { SentenceScores } from "./support.ts";
