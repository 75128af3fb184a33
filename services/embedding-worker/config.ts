import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { CacheValues } from "@headwater/cache";
import { cacheSettings } from "@headwater/cache";
import type { RpcConfig, TlsConfig } from "@headwater/rpc";
import { readRpcConfig, readTlsConfig, rpcSettings, tlsSettings } from "@headwater/rpc";
import type { Environment } from "@headwater/settings";
import { address, flag, integer, readSettings, text } from "@headwater/settings";

/** Found from where the code is, so that the service may be started from any folder. */
const bundledModel = fileURLToPath(new URL("../../models/bge-small-en-v1.5-int8", import.meta.url));

export const embeddingWorkerSettings = {
  HEADWATER_EMBEDDING_LISTEN: address().default("127.0.0.1:7002").describe("host:port to listen on"),
  HEADWATER_DATA_DIR: text().default("./data").describe("Folder of all data; the caches go under cache/"),
  HEADWATER_EMBEDDING_MODEL_DIR: text()
    .default(bundledModel)
    .describe("Folder of the encoder, as sentence-transformers exports it to ONNX"),
  HEADWATER_EMBEDDING_RERANKER_DIR: text()
    .optional()
    .describe("Folder of a cross-encoder in ONNX; unset: late interaction with the encoder reranks"),
  HEADWATER_EMBEDDING_THREADS: integer(1, 256)
    .optional()
    .describe("CPU cores for the models; unset: all that the process may use"),
  HEADWATER_EMBEDDING_SESSIONS: integer(1, 64)
    .optional()
    .describe(
      "Copies of the model, which share the threads evenly. Unset: one for each thread, at most 8. More copies than " +
        "that cost memory (about 100 MB each with the bundled model), fewer cost throughput",
    ),
  HEADWATER_EMBEDDING_BATCH_TOKENS: integer(16, 65_536)
    .optional()
    .describe(
      "Padded tokens in one batch; unset: measured at the first start on a machine (about 2 s), then kept",
    ),
  HEADWATER_EMBEDDING_BATCH_TEXTS: integer(1, 512)
    .default(32)
    .describe(
      "Most texts in one batch. 1: a vector never depends on its neighbours in the batch, which with an int8 model " +
        "it otherwise does a little",
    ),
  HEADWATER_EMBEDDING_STREAM_TOKENS: integer(512, 1_048_576)
    .default(32_768)
    .describe("Tokens of one Embed stream that may wait for the model; beyond it the stream is not read"),
  HEADWATER_EMBEDDING_QUEUE_TOKENS: integer(512, 16_777_216)
    .default(131_072)
    .describe("Tokens of all Embed streams that may wait; beyond it each stream has one request in hand"),
  HEADWATER_EMBEDDING_QUERY_QUEUE_TOKENS: integer(64, 16_777_216)
    .default(32_768)
    .describe(
      "Tokens of queries and reranks that may wait; beyond it they are refused with RESOURCE_EXHAUSTED",
    ),
  HEADWATER_EMBEDDING_TOKEN_CACHE_MEMORY_MIB: integer(0, 65_536)
    .default(64)
    .describe("Memory for the token vectors of late interaction, about 800 passages of 200 tokens; 0: none"),
  HEADWATER_EMBEDDING_TOKEN_CACHE_DISK_MIB: integer(0, 1_048_576)
    .default(1024)
    .describe(
      "Disk for the same, about 13,000 passages of 200 tokens; 0: none. With HEADWATER_REDIS_URL no disk is used, but no more than this is put into Redis while passages are indexed",
    ),
  HEADWATER_EMBEDDING_TOKEN_CACHE_INGEST: flag()
    .default(true)
    .describe(
      "Keep the token vectors of passages while they are indexed, until the disk share is full once; false: only of " +
        "passages that were reranked, so that the first rerank of each costs a run of the model (20 ms a passage)",
    ),
  HEADWATER_EMBEDDING_CACHE_MEMORY_MIB: integer(0, 65_536)
    .default(64)
    .describe("Memory for cached vectors; 0: none"),
  HEADWATER_EMBEDDING_CACHE_DISK_MIB: integer(0, 1_048_576)
    .default(1024)
    .describe(
      "Disk for cached vectors, about 600,000 of the bundled model; 0: none. Not used with HEADWATER_REDIS_URL",
    ),
  ...cacheSettings,
  ...rpcSettings,
  ...tlsSettings,
};

export interface EmbeddingWorkerConfig {
  /** host:port; port 0 lets the system choose. */
  readonly listen: string;
  readonly rpc: RpcConfig;
  /** undefined: plain text. */
  readonly tls: TlsConfig | undefined;
  /** Absolute. */
  readonly dataDir: string;
  /** Absolute. */
  readonly modelDir: string;
  /** Absolute; undefined: late interaction. */
  readonly rerankerDir: string | undefined;
  /** Copies of the model, each in a thread of its own. */
  readonly sessions: number;
  /** Cores that one copy computes on. */
  readonly threadsPerSession: number;
  /** Padded tokens in one batch; undefined: tuned. */
  readonly batchTokens: number | undefined;
  readonly batchTexts: number;
  readonly streamTokens: number;
  readonly queueTokens: number;
  readonly queryQueueTokens: number;
  readonly cacheMemoryBytes: number;
  readonly cacheDiskBytes: number;
  readonly tokenCacheMemoryBytes: number;
  readonly tokenCacheDiskBytes: number;
  /** Indexed passages leave their token vectors in the token cache. */
  readonly tokenCacheIngest: boolean;
  /** Of the tier behind memory. */
  readonly cacheSettings: CacheValues;
}

/** More copies gain nothing that their memory is worth. */
const mostSessions = 8;

/** @throws HeadwaterError HW_SETTINGS_INVALID */
export function readEmbeddingWorkerConfig(env?: Environment): EmbeddingWorkerConfig {
  const settings = readSettings(embeddingWorkerSettings, env);
  const threads = settings.HEADWATER_EMBEDDING_THREADS ?? availableParallelism();
  const sessions = Math.min(
    settings.HEADWATER_EMBEDDING_SESSIONS ?? Math.min(threads, mostSessions),
    threads,
  );
  const reranker = settings.HEADWATER_EMBEDDING_RERANKER_DIR;
  return {
    listen: settings.HEADWATER_EMBEDDING_LISTEN,
    rpc: readRpcConfig(settings),
    tls: readTlsConfig(settings),
    dataDir: resolve(settings.HEADWATER_DATA_DIR),
    modelDir: resolve(settings.HEADWATER_EMBEDDING_MODEL_DIR),
    rerankerDir: reranker === undefined ? undefined : resolve(reranker),
    sessions,
    threadsPerSession: Math.max(1, Math.floor(threads / sessions)),
    batchTokens: settings.HEADWATER_EMBEDDING_BATCH_TOKENS,
    batchTexts: settings.HEADWATER_EMBEDDING_BATCH_TEXTS,
    streamTokens: settings.HEADWATER_EMBEDDING_STREAM_TOKENS,
    queueTokens: settings.HEADWATER_EMBEDDING_QUEUE_TOKENS,
    queryQueueTokens: settings.HEADWATER_EMBEDDING_QUERY_QUEUE_TOKENS,
    cacheMemoryBytes: settings.HEADWATER_EMBEDDING_CACHE_MEMORY_MIB * 2 ** 20,
    cacheDiskBytes: settings.HEADWATER_EMBEDDING_CACHE_DISK_MIB * 2 ** 20,
    tokenCacheMemoryBytes: settings.HEADWATER_EMBEDDING_TOKEN_CACHE_MEMORY_MIB * 2 ** 20,
    tokenCacheDiskBytes: settings.HEADWATER_EMBEDDING_TOKEN_CACHE_DISK_MIB * 2 ** 20,
    tokenCacheIngest: settings.HEADWATER_EMBEDDING_TOKEN_CACHE_INGEST,
    cacheSettings: settings,
  };
}
