import type { readSettings } from "@headwater/settings";
import { decimal, flag, integer, readPemFile, readSecret, text } from "@headwater/settings";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** What is fixed when a generation is made; a change holds from the next reindex on. */
export interface QdrantLayout {
  /** Of the names of collections, and the alias of the generation that serves. */
  readonly prefix: string;
  /** Tenants that get a collection of their own. */
  readonly largeTenants: readonly string[];
  /** True: the shared collection has graphs of single tenants only; false: also one of all. */
  readonly tenantGraphs: boolean;
  /** Edges of a node. */
  readonly hnswM: number;
  readonly hnswEfConstruct: number;
  /** True: int8 vectors in memory, beside the full ones. */
  readonly quantization: boolean;
  readonly vectorsOnDisk: boolean;
  /** Undefined: as the server chooses. */
  readonly shards: number | undefined;
  readonly replicas: number;
  /** Replicas that must have a write before it counts as done. */
  readonly writeConsistency: number;
}

export interface QdrantOptions extends QdrantLayout {
  /** http or https, with port and path where they differ from :6333 and /. */
  readonly url: string;
  readonly apiKey: string | undefined;
  /** PEM; undefined: the authorities that Node knows. */
  readonly ca: string | undefined;
  /** For one attempt at a search or another read. */
  readonly timeoutMs: number;
  /** For one attempt at a write, or at making or dropping a collection. */
  readonly writeTimeoutMs: number;
  /** Candidates that a search keeps while it walks the graph. */
  readonly searchEf: number;
  /** So many times the limit are found by int8 vectors and scored again with the full ones. */
  readonly oversampling: number;
  /** Of one request with points. */
  readonly batchBytes: number;
}

export const qdrantSettings = {
  HEADWATER_QDRANT_URL: text()
    .regex(/^https?:\/\/[^\s/]+/, "must start with http:// or https://")
    .optional()
    .describe("Qdrant's HTTP address, as https://host:6333; port 6333 where it names none"),
  HEADWATER_QDRANT_API_KEY: text().optional().describe("Qdrant's API key; unset: none is sent"),
  HEADWATER_QDRANT_API_KEY_FILE: text()
    .optional()
    .describe("File that holds Qdrant's API key, such as a mounted secret; read at start-up"),
  HEADWATER_QDRANT_CA_FILE: text()
    .optional()
    .describe("File with the authority (PEM) that signed Qdrant's certificate; unset: those that Node knows"),
  HEADWATER_QDRANT_PREFIX: text()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/, "must be 1 to 100 of [A-Za-z0-9_-]")
    .default("headwater-passages")
    .describe("Of the names of collections in Qdrant, and the alias of the generation that serves"),
  HEADWATER_QDRANT_TIMEOUT_MS: integer(1, 600_000)
    .default(10_000)
    .describe("Milliseconds that one attempt at a search in Qdrant may take"),
  HEADWATER_QDRANT_WRITE_TIMEOUT_MS: integer(1, 3_600_000)
    .default(60_000)
    .describe("Milliseconds that one attempt at a write to Qdrant may take"),
  HEADWATER_QDRANT_LARGE_TENANTS: text()
    .regex(/^[^,\s]+(\s*,\s*[^,\s]+)*$/, "must be names separated by commas")
    .optional()
    .describe("Tenants, separated by commas, with a Qdrant collection of their own from the next reindex on"),
  HEADWATER_QDRANT_TENANT_GRAPHS: flag()
    .default(false)
    .describe(
      "true: Qdrant builds graphs of single tenants only, sooner done where there are many; false: also one of all, from the next reindex on",
    ),
  HEADWATER_QDRANT_HNSW_M: integer(4, 256)
    .default(16)
    .describe(
      "Edges of a node in Qdrant's graph; more find better and take memory, from the next reindex on",
    ),
  HEADWATER_QDRANT_HNSW_EF_CONSTRUCT: integer(4, 4096)
    .default(128)
    .describe("Neighbours looked at while Qdrant's graph is built; more build a better graph more slowly"),
  HEADWATER_QDRANT_SEARCH_EF: integer(1, 10_000)
    .default(128)
    .describe("Candidates that a search in Qdrant keeps; more find better and take longer"),
  HEADWATER_QDRANT_QUANTIZATION: flag()
    .default(true)
    .describe("true: Qdrant searches int8 vectors in memory and scores again with the full ones"),
  HEADWATER_QDRANT_OVERSAMPLING: decimal(1, 16)
    .default(2)
    .describe("With quantization, how many times the limit is scored again with full vectors"),
  HEADWATER_QDRANT_VECTORS_ON_DISK: flag()
    .default(false)
    .describe("true: Qdrant keeps full vectors on disk, a quarter of the memory with quantization"),
  HEADWATER_QDRANT_SHARDS: integer(1, 1024)
    .optional()
    .describe("Shards of a Qdrant collection; unset: one for each node"),
  HEADWATER_QDRANT_REPLICAS: integer(1, 16)
    .default(1)
    .describe("Copies of each shard in a Qdrant cluster; 2 or more survive the loss of a node"),
  HEADWATER_QDRANT_WRITE_CONSISTENCY: integer(1, 16)
    .default(1)
    .describe("Copies that must have a write before it counts; at most HEADWATER_QDRANT_REPLICAS"),
  HEADWATER_QDRANT_BATCH_BYTES: integer(64 * kibibyte, 30 * mebibyte)
    .default(8 * mebibyte)
    .describe("Bytes of one request with passages to Qdrant, which takes up to 32 MiB"),
};

export type QdrantSettingValues = ReturnType<typeof readSettings<typeof qdrantSettings>>;

/**
 * @returns undefined where no address is set
 * @throws HeadwaterError FAILED_PRECONDITION, HW_SETTINGS_INVALID
 */
export function readQdrantOptions(values: QdrantSettingValues): QdrantOptions | undefined {
  if (values.HEADWATER_QDRANT_URL === undefined) return undefined;
  return {
    url: values.HEADWATER_QDRANT_URL,
    apiKey: readSecret(values, "HEADWATER_QDRANT_API_KEY"),
    ca: readPemFile(values, "HEADWATER_QDRANT_CA_FILE"),
    prefix: values.HEADWATER_QDRANT_PREFIX,
    timeoutMs: values.HEADWATER_QDRANT_TIMEOUT_MS,
    writeTimeoutMs: values.HEADWATER_QDRANT_WRITE_TIMEOUT_MS,
    largeTenants: (values.HEADWATER_QDRANT_LARGE_TENANTS ?? "")
      .split(",")
      .flatMap((name) => name.trim() || []),
    tenantGraphs: values.HEADWATER_QDRANT_TENANT_GRAPHS,
    hnswM: values.HEADWATER_QDRANT_HNSW_M,
    hnswEfConstruct: values.HEADWATER_QDRANT_HNSW_EF_CONSTRUCT,
    searchEf: values.HEADWATER_QDRANT_SEARCH_EF,
    quantization: values.HEADWATER_QDRANT_QUANTIZATION,
    oversampling: values.HEADWATER_QDRANT_OVERSAMPLING,
    vectorsOnDisk: values.HEADWATER_QDRANT_VECTORS_ON_DISK,
    shards: values.HEADWATER_QDRANT_SHARDS,
    replicas: values.HEADWATER_QDRANT_REPLICAS,
    writeConsistency: values.HEADWATER_QDRANT_WRITE_CONSISTENCY,
    batchBytes: values.HEADWATER_QDRANT_BATCH_BYTES,
  };
}
