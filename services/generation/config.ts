import { join } from "node:path";
import type { RecordStoreValues } from "@headwater/record-store";
import { recordStoreSettings } from "@headwater/record-store";
import type { Environment } from "@headwater/settings";
import { address, integer, invalidSetting, readSecret, readSettings, text } from "@headwater/settings";

export const generationSettings = {
  HEADWATER_GENERATION_LISTEN: address()
    .default("127.0.0.1:7004")
    .describe("host:port of generation's gRPC server"),
  HEADWATER_DATA_DIR: text().default("./data").describe("Folder for everything that is kept"),
  HEADWATER_SEARCH_ADDRESS: address().default("127.0.0.1:7003").describe("host:port of search"),
  HEADWATER_EMBEDDING_ADDRESS: address()
    .default("127.0.0.1:7002")
    .describe("host:port of the embedding-worker"),
  HEADWATER_GENERATION_MODEL: text()
    .default("extractive")
    .describe('Model for requests that name none: "extractive", or the value of HEADWATER_OPENAI_MODEL'),
  HEADWATER_GENERATION_MAX_ANSWERS: integer(1, 10_000)
    .default(256)
    .describe("Answers in progress at once; further ones are refused with RESOURCE_EXHAUSTED"),
  HEADWATER_GENERATION_RANK_BUDGET_MS: integer(1, 60_000)
    .default(2000)
    .describe(
      "Milliseconds for scoring the sentences of an answer; when they run out, words alone decide on the rest",
    ),
  HEADWATER_OPENAI_BASE_URL: text()
    .regex(/^https?:\/\/\S+$/, "must start with http:// or https://")
    .optional()
    .describe("OpenAI-compatible model service, ends like https://host/v1; unset: there is none"),
  HEADWATER_OPENAI_MODEL: text()
    .max(200)
    .optional()
    .describe("The service's name of the model; required with the URL"),
  HEADWATER_OPENAI_API_KEY: text().optional().describe("Bearer token for the service; unset: none is sent"),
  HEADWATER_OPENAI_API_KEY_FILE: text()
    .optional()
    .describe("File that holds the token, such as a mounted secret; read at start-up"),
  HEADWATER_OPENAI_CONTEXT_TOKENS: integer(1024, 10_000_000)
    .default(8192)
    .describe("Longest prompt and answer together in tokens; sources beyond it are left out"),
  HEADWATER_OPENAI_FIRST_TOKEN_TIMEOUT_MS: integer(1, 3_600_000)
    .default(60_000)
    .describe(
      "Milliseconds from the request to the first token; services that load models on demand need it",
    ),
  HEADWATER_OPENAI_NEXT_TOKEN_TIMEOUT_MS: integer(1, 3_600_000)
    .default(20_000)
    .describe("Milliseconds that each further token may take"),
  ...recordStoreSettings,
};

/** A model service that speaks the OpenAI chat completions protocol. */
export interface OpenAiConfig {
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKey: string | undefined;
  readonly contextTokens: number;
  readonly firstTokenTimeoutMs: number;
  readonly nextTokenTimeoutMs: number;
}

export interface GenerationConfig {
  readonly listen: string;
  readonly searchAddress: string;
  readonly embeddingAddress: string;
  readonly defaultModel: string;
  readonly maxAnswers: number;
  readonly rankBudgetMs: number;
  readonly openAi: OpenAiConfig | undefined;
  readonly records: RecordStoreValues;
  /** Of the embedded record store. */
  readonly recordsFolder: string;
}

/** @throws HeadwaterError FAILED_PRECONDITION, HW_SETTINGS_INVALID */
export function readGenerationConfig(env: Environment = process.env): GenerationConfig {
  const settings = readSettings(generationSettings, env);
  const openAi = readOpenAi(settings);
  const models = ["extractive", ...(openAi ? [openAi.model] : [])];
  if (openAi?.model === "extractive") {
    throw invalidSetting("HEADWATER_OPENAI_MODEL", '"extractive" is the name of the built-in model');
  }
  if (!models.includes(settings.HEADWATER_GENERATION_MODEL)) {
    throw invalidSetting("HEADWATER_GENERATION_MODEL", `allowed: ${models.join(", ")}`);
  }
  return {
    listen: settings.HEADWATER_GENERATION_LISTEN,
    searchAddress: settings.HEADWATER_SEARCH_ADDRESS,
    embeddingAddress: settings.HEADWATER_EMBEDDING_ADDRESS,
    defaultModel: settings.HEADWATER_GENERATION_MODEL,
    maxAnswers: settings.HEADWATER_GENERATION_MAX_ANSWERS,
    rankBudgetMs: settings.HEADWATER_GENERATION_RANK_BUDGET_MS,
    openAi,
    records: settings,
    recordsFolder: join(settings.HEADWATER_DATA_DIR, "generation"),
  };
}

type Settings = ReturnType<typeof readSettings<typeof generationSettings>>;

function readOpenAi(settings: Settings): OpenAiConfig | undefined {
  const { HEADWATER_OPENAI_BASE_URL: baseUrl, HEADWATER_OPENAI_MODEL: model } = settings;
  if (baseUrl === undefined && model === undefined) return undefined;
  if (baseUrl === undefined)
    throw invalidSetting("HEADWATER_OPENAI_BASE_URL", "required with HEADWATER_OPENAI_MODEL");
  if (model === undefined)
    throw invalidSetting("HEADWATER_OPENAI_MODEL", "required with HEADWATER_OPENAI_BASE_URL");
  return {
    baseUrl,
    model,
    apiKey: readSecret(settings, "HEADWATER_OPENAI_API_KEY"),
    contextTokens: settings.HEADWATER_OPENAI_CONTEXT_TOKENS,
    firstTokenTimeoutMs: settings.HEADWATER_OPENAI_FIRST_TOKEN_TIMEOUT_MS,
    nextTokenTimeoutMs: settings.HEADWATER_OPENAI_NEXT_TOKEN_TIMEOUT_MS,
  };
}
