import type { readSettings } from "@headwater/settings";
import { integer, invalidSetting, readPemFile, readSecret, text } from "@headwater/settings";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** What is fixed when a generation is made; a change holds from the next reindex on. */
export interface ElasticLayout {
  /** Of the names of indexes and of the alias. */
  readonly prefix: string;
  /** "english": Headwater's own; any other: the server's analyzer of that name. */
  readonly analyzer: string;
  readonly shards: number;
  /** Undefined: one on another node, as soon as there is one. */
  readonly replicas: number | undefined;
}

export interface ElasticOptions extends ElasticLayout {
  readonly nodes: readonly string[];
  readonly auth: { readonly username: string; readonly password: string } | undefined;
  readonly apiKey: string | undefined;
  /** PEM. */
  readonly ca: string | undefined;
  /** For one attempt at a search, or at asking the ledger or the alias. */
  readonly timeoutMs: number;
  /** For one attempt at a write, or at what else takes its time. */
  readonly writeTimeoutMs: number;
  /** Of one request with passages. */
  readonly batchBytes: number;
}

export const elasticSettings = {
  HEADWATER_ELASTICSEARCH_URL: text()
    .refine((urls) => urls.split(",").every((url) => /^https?:\/\/[^\s/]/.test(url.trim())), {
      error: "must start with http:// or https://",
    })
    .optional()
    .describe("Elasticsearch's address, or those of several nodes, separated by commas; versions 8 and 9"),
  HEADWATER_ELASTICSEARCH_USERNAME: text()
    .optional()
    .describe("User of Elasticsearch; unset: none, or an API key"),
  HEADWATER_ELASTICSEARCH_PASSWORD: text().optional().describe("Password of that user"),
  HEADWATER_ELASTICSEARCH_PASSWORD_FILE: text()
    .optional()
    .describe("File that holds that password, such as a mounted secret; read at start-up"),
  HEADWATER_ELASTICSEARCH_API_KEY: text()
    .optional()
    .describe("API key of Elasticsearch, in its encoded form; in place of a user"),
  HEADWATER_ELASTICSEARCH_API_KEY_FILE: text()
    .optional()
    .describe("File that holds that key, such as a mounted secret; read at start-up"),
  HEADWATER_ELASTICSEARCH_CA_FILE: text()
    .optional()
    .describe(
      "File with the authority (PEM) that signed Elasticsearch's certificate; unset: those that Node knows",
    ),
  HEADWATER_ELASTICSEARCH_PREFIX: text()
    .regex(/^[a-z0-9][a-z0-9_.-]{0,63}$/, "must be 1 to 64 of [a-z0-9_.-], and begin with a letter or digit")
    .default("headwater")
    .describe("Of the names of indexes in Elasticsearch, so that several installations can share it"),
  HEADWATER_ELASTICSEARCH_ANALYZER: text()
    .default("english")
    .describe(
      "How Elasticsearch cuts texts into words, from the next reindex on: english, or an analyzer that the server has, such as german, cjk or icu_analyzer",
    ),
  HEADWATER_ELASTICSEARCH_SHARDS: integer(1, 1024)
    .default(1)
    .describe(
      "Shards of an index, from the next reindex on; a tenant's passages lie in one of them. One for each 30 GB",
    ),
  HEADWATER_ELASTICSEARCH_REPLICAS: integer(0, 16)
    .optional()
    .describe("Copies of each shard besides the first; unset: one as soon as there is a second node"),
  HEADWATER_ELASTICSEARCH_TIMEOUT_MS: integer(1, 600_000)
    .default(3000)
    .describe("Milliseconds that one of two attempts at a search in Elasticsearch may take"),
  HEADWATER_ELASTICSEARCH_WRITE_TIMEOUT_MS: integer(1, 3_600_000)
    .default(60_000)
    .describe("Milliseconds that one attempt at a write to Elasticsearch may take"),
  HEADWATER_ELASTICSEARCH_BATCH_BYTES: integer(64 * kibibyte, 90 * mebibyte)
    .default(8 * mebibyte)
    .describe(
      "Bytes of one request with passages to Elasticsearch, which takes up to 100 MB; a single passage may go beyond",
    ),
};

/** As `readSettings` has them. */
export type ElasticSettingValues = ReturnType<typeof readSettings<typeof elasticSettings>>;

/**
 * @returns undefined where no address is set
 * @throws HeadwaterError FAILED_PRECONDITION, HW_SETTINGS_INVALID
 */
export function readElasticOptions(values: ElasticSettingValues): ElasticOptions | undefined {
  if (values.HEADWATER_ELASTICSEARCH_URL === undefined) return undefined;
  const username = values.HEADWATER_ELASTICSEARCH_USERNAME;
  const password = readSecret(values, "HEADWATER_ELASTICSEARCH_PASSWORD");
  const apiKey = readSecret(values, "HEADWATER_ELASTICSEARCH_API_KEY");
  if ((username === undefined) !== (password === undefined))
    throw invalidSetting("HEADWATER_ELASTICSEARCH_USERNAME", "a user and a password go together");
  if (username !== undefined && apiKey !== undefined)
    throw invalidSetting("HEADWATER_ELASTICSEARCH_API_KEY", "set either a key or a user, not both");
  return {
    nodes: values.HEADWATER_ELASTICSEARCH_URL.split(",").map((url) => url.trim()),
    auth: username === undefined || password === undefined ? undefined : { username, password },
    apiKey,
    ca: readPemFile(values, "HEADWATER_ELASTICSEARCH_CA_FILE"),
    prefix: values.HEADWATER_ELASTICSEARCH_PREFIX,
    analyzer: values.HEADWATER_ELASTICSEARCH_ANALYZER,
    shards: values.HEADWATER_ELASTICSEARCH_SHARDS,
    replicas: values.HEADWATER_ELASTICSEARCH_REPLICAS,
    timeoutMs: values.HEADWATER_ELASTICSEARCH_TIMEOUT_MS,
    writeTimeoutMs: values.HEADWATER_ELASTICSEARCH_WRITE_TIMEOUT_MS,
    batchBytes: values.HEADWATER_ELASTICSEARCH_BATCH_BYTES,
  };
}
