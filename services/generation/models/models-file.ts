import { readFileSync } from "node:fs";
import type { Environment } from "@headwater/settings";
import { invalidSetting } from "@headwater/settings";
import { z } from "zod";
import { readSettingsFile } from "../settings-file.ts";
import type { ModelSettings } from "./model-settings.ts";
import { defaultRetries, extractiveName, serviceProviders } from "./model-settings.ts";

const setting = "HEADWATER_MODELS_FILE";

const milliseconds = z.int().min(1).max(3_600_000);
const dollars = z.number().min(0).max(10_000).default(0);

/** One entry of the file. docs/models.md tells of each field. */
const modelSchema = z.strictObject({
  name: z.string().regex(/^[\w.:/@+-]{1,128}$/, "use 1 to 128 of A-Z a-z 0-9 _ . : / @ + -"),
  provider: z.enum(serviceProviders, { error: `allowed: ${serviceProviders.join(", ")}` }),
  model: z.string().min(1).max(200),
  base_url: z
    .string()
    .regex(/^https?:\/\/\S+$/, "must start with http:// or https://")
    .transform((url) => url.replace(/\/+$/, ""))
    .optional(),
  api_key_env: z.string().min(1).optional(),
  api_key_file: z.string().min(1).optional(),
  context_tokens: z.int().min(1024).max(10_000_000).default(8192),
  tool_calling: z
    .enum(["native", "text", "none"], { error: "allowed: native, text, none" })
    .default("native"),
  first_token_timeout_ms: milliseconds.default(60_000),
  next_token_timeout_ms: milliseconds.default(20_000),
  retries: z.int().min(0).max(10).default(defaultRetries),
  max_concurrent: z.int().min(1).max(10_000).optional(),
  input_price: dollars,
  output_price: dollars,
  fallbacks: z.array(z.string()).default([]),
});

const fileSchema = z.strictObject({ default: z.string().optional(), models: z.array(z.unknown()) });

type Entry = z.output<typeof modelSchema>;

export interface ModelsFile {
  /** Undefined: the file names none. */
  readonly defaultModel: string | undefined;
  readonly models: readonly ModelSettings[];
}

/**
 * Reads the models of a YAML or JSON file. Keys are not in it: an entry names the environment variable or the file
 * that holds its key.
 *
 * @throws HeadwaterError FAILED_PRECONDITION, HW_SETTINGS_INVALID, with every mistake
 */
export function readModelsFile(path: string, env: Environment): ModelsFile {
  const file = fileSchema.safeParse(readSettingsFile(setting, path));
  if (!file.success) throw mistaken(path, file.error.issues.map(describe));
  const mistakes: string[] = [];
  const models = file.data.models.map((raw, index) => {
    const at = `models[${index}]`;
    const entry = modelSchema.safeParse(raw);
    if (!entry.success) mistakes.push(...entry.error.issues.map((issue) => `${at}.${describe(issue)}`));
    else mistakes.push(...mistakesOf(entry.data).map((mistake) => `${at}.${mistake}`));
    return entry.data;
  });
  const names = [extractiveName, ...file.data.models.map(nameOf)];
  const known = (name: string | undefined) => name !== undefined && names.includes(name);
  for (const [index, entry] of models.entries()) {
    const name = names[index + 1];
    if (name !== undefined && names.indexOf(name) <= index)
      mistakes.push(`models[${index}].name: "${name}" is taken`);
    for (const fallback of entry?.fallbacks ?? []) {
      const wrong = `models[${index}].fallbacks: "${fallback}"`;
      if (!known(fallback)) mistakes.push(`${wrong} is not the name of a model`);
      else if (fallback === name) mistakes.push(`${wrong} is the model itself`);
    }
  }
  const { default: defaultModel } = file.data;
  if (defaultModel !== undefined && !known(defaultModel))
    mistakes.push(`default: "${defaultModel}" is not the name of a model`);
  const read = models.flatMap((entry, index) =>
    entry === undefined
      ? []
      : [toSettings(entry, env, (mistake) => mistakes.push(`models[${index}].${mistake}`))],
  );
  if (mistakes.length > 0) throw mistaken(path, mistakes);
  return { defaultModel, models: read };
}

/** What an entry's own fields cannot be together. */
function mistakesOf(entry: Entry): string[] {
  const mistakes: string[] = [];
  if (entry.provider === "openai-compatible" && entry.base_url === undefined)
    mistakes.push("base_url: required for openai-compatible");
  else if (
    entry.base_url === undefined &&
    entry.api_key_env === undefined &&
    entry.api_key_file === undefined
  )
    mistakes.push(`api_key_env: this or api_key_file is required for ${entry.provider}`);
  if (entry.api_key_env !== undefined && entry.api_key_file !== undefined)
    mistakes.push("api_key_file: set either this or api_key_env, not both");
  return mistakes;
}

function toSettings(entry: Entry, env: Environment, mistake: (text: string) => void): ModelSettings {
  return {
    name: entry.name,
    provider: entry.provider,
    model: entry.model,
    baseUrl: entry.base_url,
    apiKey: readKey(entry, env, mistake),
    contextTokens: entry.context_tokens,
    toolCalling: entry.tool_calling,
    firstTokenTimeoutMs: entry.first_token_timeout_ms,
    nextTokenTimeoutMs: entry.next_token_timeout_ms,
    retries: entry.retries,
    maxConcurrent: entry.max_concurrent,
    prices: { input: entry.input_price, output: entry.output_price },
    fallbacks: entry.fallbacks,
  };
}

function readKey(entry: Entry, env: Environment, mistake: (text: string) => void): string | undefined {
  if (entry.api_key_env !== undefined) {
    const key = env[entry.api_key_env]?.trim();
    if (key) return key;
    mistake(`api_key_env: the variable ${entry.api_key_env} is not set`);
  }
  if (entry.api_key_file === undefined) return undefined;
  try {
    const key = readFileSync(entry.api_key_file, "utf8").trim();
    if (key !== "") return key;
    mistake(`api_key_file: ${entry.api_key_file} is empty`);
  } catch {
    mistake(`api_key_file: ${entry.api_key_file} cannot be read`);
  }
  return undefined;
}

function nameOf(raw: unknown): string | undefined {
  return typeof raw === "object" && raw !== null && "name" in raw && typeof raw.name === "string"
    ? raw.name
    : undefined;
}

function describe(issue: z.core.$ZodIssue): string {
  const path = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const hint = issue.keys.includes("api_key")
      ? "; keys are not written here: name api_key_env or api_key_file"
      : "";
    return `${path === "" ? "" : `${path}.`}${issue.keys.join(", ")}: there is no such field${hint}`;
  }
  return `${path === "" ? "" : `${path}: `}${issue.message}`;
}

function mistaken(path: string, mistakes: readonly string[]) {
  return invalidSetting(setting, `in ${path}:\n${mistakes.map((mistake) => `    ${mistake}`).join("\n")}`);
}
