import type { ToolCalling } from "@headwater/language-model";

export const serviceProviders = ["openai-compatible", "openai", "anthropic", "cohere"] as const;
export type ServiceProvider = (typeof serviceProviders)[number];

/** US dollars for a million tokens. */
export interface Prices {
  readonly input: number;
  readonly output: number;
}

/** A model of a service, as the settings name it. */
export interface ModelSettings {
  /** For callers. */
  readonly name: string;
  readonly provider: ServiceProvider;
  /** The service's own name of the model. */
  readonly model: string;
  /** Undefined: the provider's own service. */
  readonly baseUrl: string | undefined;
  readonly apiKey: string | undefined;
  /** Longest prompt and answer together. */
  readonly contextTokens: number;
  readonly toolCalling: ToolCalling;
  readonly firstTokenTimeoutMs: number;
  readonly nextTokenTimeoutMs: number;
  /** Further attempts before the first event. */
  readonly retries: number;
  /** Answers in progress at once; undefined: no bound of its own. */
  readonly maxConcurrent: number | undefined;
  readonly prices: Prices;
  /** Names of the models that answer while this one does not, in order. */
  readonly fallbacks: readonly string[];
}

/** Name of the model that comes with Headwater. */
export const extractiveName = "extractive";
export const defaultRetries = 2;
