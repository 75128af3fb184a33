import { join } from "node:path";
import type { RecordStoreValues } from "@headwater/record-store";
import { recordStoreSettings } from "@headwater/record-store";
import type { RpcConfig, TlsConfig } from "@headwater/rpc";
import { readRpcConfig, readTlsConfig, rpcSettings, tlsSettings } from "@headwater/rpc";
import type { Environment } from "@headwater/settings";
import {
  address,
  choice,
  flag,
  integer,
  invalidSetting,
  readSecret,
  readSettings,
  text,
} from "@headwater/settings";
import type { MemoryConfig } from "./memory/settings.ts";
import { memorySettings, readMemoryConfig } from "./memory/settings.ts";
import type { ModelSettings } from "./models/model-settings.ts";
import { defaultRetries, extractiveName } from "./models/model-settings.ts";
import { readModelsFile } from "./models/models-file.ts";
import type { ToolSettings } from "./tools/tool-settings.ts";
import { readToolsFile } from "./tools/tools-file.ts";
import type { TurnsConfig } from "./turns/turn-settings.ts";
import { readTurns, turnSettings } from "./turns/turn-settings.ts";

export const generationSettings = {
  HEADWATER_GENERATION_LISTEN: address()
    .default("127.0.0.1:7004")
    .describe("host:port of generation's gRPC server"),
  HEADWATER_DATA_DIR: text().default("./data").describe("Folder for everything that is kept"),
  HEADWATER_SEARCH_ADDRESS: address().default("127.0.0.1:7003").describe("host:port of search"),
  HEADWATER_INGEST_ADDRESS: address()
    .default("127.0.0.1:7001")
    .describe("host:port of ingest, for the documents that agents read and jobs bring in"),
  HEADWATER_EMBEDDING_ADDRESS: address()
    .default("127.0.0.1:7002")
    .describe("host:port of the embedding-worker"),
  HEADWATER_GENERATION_MODEL: text()
    .optional()
    .describe(
      "Model for requests that name none: one of the models file, the value of HEADWATER_OPENAI_MODEL, or `extractive`; unset: the models file's default, or `extractive`",
    ),
  HEADWATER_GENERATION_CAPTURE_CONTENT: flag()
    .default(false)
    .describe("Writes prompts and answers on the spans of models, for whoever may read the traces"),
  HEADWATER_MODELS_FILE: text()
    .optional()
    .describe("YAML or JSON file that names language models; docs/models.md tells of its fields"),
  HEADWATER_TOOLS_FILE: text()
    .optional()
    .describe(
      "YAML or JSON file of further tools for agents: HTTP services, MCP servers, the sandbox; docs/tools.md tells of its fields",
    ),
  HEADWATER_GENERATION_MAX_ANSWERS: integer(1, 10_000)
    .default(256)
    .describe("Answers in progress at once; further ones are refused with RESOURCE_EXHAUSTED"),
  HEADWATER_GENERATION_RANK_BUDGET_MS: integer(1, 60_000)
    .default(2000)
    .describe(
      "Milliseconds for scoring the sentences of an answer; when they run out, words alone decide on the rest",
    ),
  HEADWATER_GENERATION_LINK_HOSTS: text()
    .regex(
      /^(\*\.)?[\w-]+(\.[\w-]+)*(\s*,\s*(\*\.)?[\w-]+(\.[\w-]+)*)*$/,
      "must be host names, separated by commas",
    )
    .optional()
    .describe(
      "Hosts that the answers of agents may link to and show images from, such as docs.example.com or *.example.com, separated by commas; unset: links lead to sources only",
    ),
  HEADWATER_GENERATION_TOOL_TIMEOUT_MS: integer(100, 3_600_000)
    .default(30_000)
    .describe("Milliseconds that one call of an agent's tool may take"),
  HEADWATER_GENERATION_APPROVAL_TIMEOUT_MS: integer(1000, 86_400_000)
    .default(900_000)
    .describe("Milliseconds that a tool call waits for a person's approval; then it is refused"),
  HEADWATER_OPENAI_BASE_URL: text()
    .regex(/^https?:\/\/\S+$/, "must start with http:// or https://")
    .optional()
    .describe(
      "One OpenAI-compatible model service, without a models file; ends like https://host/v1; unset: there is none",
    ),
  HEADWATER_OPENAI_MODEL: text()
    .max(200)
    .optional()
    .describe("The service's name of the model; required with the URL"),
  HEADWATER_OPENAI_API_KEY: text().optional().describe("Bearer token for the service; unset: none is sent"),
  HEADWATER_OPENAI_API_KEY_FILE: text()
    .optional()
    .describe("File that holds the token, such as a mounted secret; read at start-up"),
  HEADWATER_OPENAI_TOOL_CALLING: choice(["native", "text", "none"])
    .default("native")
    .describe(
      "How the model calls an agent's tools: through the protocol, as text for models without it, or not at all",
    ),
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
  HEADWATER_OPENAI_RETRIES: integer(0, 10)
    .default(defaultRetries)
    .describe("Further attempts, with back-off, where the service fails before the first token"),
  HEADWATER_JOBS_ALLOW_PRIVATE: text()
    .default("")
    .describe(
      "Addresses, networks or hosts that index jobs may fetch from beyond public ones, separated by commas",
    ),
  ...turnSettings,
  ...memorySettings,
  ...recordStoreSettings,
  ...rpcSettings,
  ...tlsSettings,
};

/** What holds for all agents. */
export interface AgentConfig {
  /** Hosts that answers may link to, beside where their sources lie. */
  readonly linkHosts: readonly string[];
  readonly toolTimeoutMs: number;
  readonly approvalTimeoutMs: number;
}

export interface GenerationConfig {
  readonly listen: string;
  readonly rpc: RpcConfig;
  /** undefined: plain text. */
  readonly tls: TlsConfig | undefined;
  readonly searchAddress: string;
  readonly ingestAddress: string;
  readonly embeddingAddress: string;
  readonly defaultModel: string;
  readonly maxAnswers: number;
  readonly rankBudgetMs: number;
  /** Of services; the extractive one is always there. */
  readonly models: readonly ModelSettings[];
  /** Prompts and answers are written on the spans of models. */
  readonly captureContent: boolean;
  readonly turns: TurnsConfig;
  /** Beyond the built-in ones. */
  readonly tools: ToolSettings;
  readonly agents: AgentConfig;
  readonly memory: MemoryConfig;
  /** See SafeFetchOptions. */
  readonly jobsAllowPrivate: readonly string[];
  readonly records: RecordStoreValues;
  /** Of the embedded record store. */
  readonly recordsFolder: string;
}

const recordsSettings = {
  HEADWATER_DATA_DIR: generationSettings.HEADWATER_DATA_DIR,
  ...recordStoreSettings,
};

/**
 * Where the records are, and nothing else: who looks after them needs no models and no tools.
 *
 * @throws HeadwaterError FAILED_PRECONDITION, HW_SETTINGS_INVALID
 */
export function readRecordsConfig(env?: Environment): Pick<GenerationConfig, "records" | "recordsFolder"> {
  const records = readSettings(recordsSettings, env);
  return { records, recordsFolder: join(records.HEADWATER_DATA_DIR, "generation") };
}

/** @throws HeadwaterError FAILED_PRECONDITION, HW_SETTINGS_INVALID */
export function readGenerationConfig(env: Environment = process.env): GenerationConfig {
  const settings = readSettings(generationSettings, env);
  const { models, defaultModel } = readModels(settings, env);
  return {
    listen: settings.HEADWATER_GENERATION_LISTEN,
    rpc: readRpcConfig(settings),
    tls: readTlsConfig(settings),
    searchAddress: settings.HEADWATER_SEARCH_ADDRESS,
    ingestAddress: settings.HEADWATER_INGEST_ADDRESS,
    embeddingAddress: settings.HEADWATER_EMBEDDING_ADDRESS,
    defaultModel,
    maxAnswers: settings.HEADWATER_GENERATION_MAX_ANSWERS,
    rankBudgetMs: settings.HEADWATER_GENERATION_RANK_BUDGET_MS,
    models,
    captureContent: settings.HEADWATER_GENERATION_CAPTURE_CONTENT,
    turns: readTurns(settings),
    tools: readToolsFile(settings.HEADWATER_TOOLS_FILE, env),
    agents: {
      linkHosts: settings.HEADWATER_GENERATION_LINK_HOSTS?.split(",").map((host) => host.trim()) ?? [],
      toolTimeoutMs: settings.HEADWATER_GENERATION_TOOL_TIMEOUT_MS,
      approvalTimeoutMs: settings.HEADWATER_GENERATION_APPROVAL_TIMEOUT_MS,
    },
    memory: readMemoryConfig(settings),
    jobsAllowPrivate: settings.HEADWATER_JOBS_ALLOW_PRIVATE.split(/[\s,]+/).filter((entry) => entry !== ""),
    records: settings,
    recordsFolder: join(settings.HEADWATER_DATA_DIR, "generation"),
  };
}

type Settings = ReturnType<typeof readSettings<typeof generationSettings>>;

function readModels(settings: Settings, env: Environment): Pick<GenerationConfig, "models" | "defaultModel"> {
  const path = settings.HEADWATER_MODELS_FILE;
  const file = path === undefined ? undefined : readModelsFile(path, env);
  const single = readOpenAi(settings);
  const models = [...(file?.models ?? []), ...(single ? [single] : [])];
  const names = [extractiveName, ...models.map(({ name }) => name)];
  if (single && names.indexOf(single.name) < names.length - 1)
    throw invalidSetting("HEADWATER_OPENAI_MODEL", `"${single.name}" is the name of another model`);
  const defaultModel = settings.HEADWATER_GENERATION_MODEL ?? file?.defaultModel ?? extractiveName;
  if (!names.includes(defaultModel))
    throw invalidSetting("HEADWATER_GENERATION_MODEL", `allowed: ${names.join(", ")}`);
  return { models, defaultModel };
}

/** The short form, for one service. */
function readOpenAi(settings: Settings): ModelSettings | undefined {
  const { HEADWATER_OPENAI_BASE_URL: baseUrl, HEADWATER_OPENAI_MODEL: model } = settings;
  if (baseUrl === undefined && model === undefined) return undefined;
  if (baseUrl === undefined)
    throw invalidSetting("HEADWATER_OPENAI_BASE_URL", "required with HEADWATER_OPENAI_MODEL");
  if (model === undefined)
    throw invalidSetting("HEADWATER_OPENAI_MODEL", "required with HEADWATER_OPENAI_BASE_URL");
  return {
    ...{ name: model, provider: "openai-compatible", model, baseUrl },
    apiKey: readSecret(settings, "HEADWATER_OPENAI_API_KEY"),
    contextTokens: settings.HEADWATER_OPENAI_CONTEXT_TOKENS,
    toolCalling: settings.HEADWATER_OPENAI_TOOL_CALLING,
    firstTokenTimeoutMs: settings.HEADWATER_OPENAI_FIRST_TOKEN_TIMEOUT_MS,
    nextTokenTimeoutMs: settings.HEADWATER_OPENAI_NEXT_TOKEN_TIMEOUT_MS,
    retries: settings.HEADWATER_OPENAI_RETRIES,
    maxConcurrent: undefined,
    prices: { input: 0, output: 0 },
    fallbacks: [],
  };
}
