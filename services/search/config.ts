import { join } from "node:path";
import type { PassageIndexSettingValues } from "@headwater/passage-index";
import { passageIndexSettings } from "@headwater/passage-index";
import type { RpcConfig, TlsConfig } from "@headwater/rpc";
import { readRpcConfig, readTlsConfig, rpcSettings, tlsSettings } from "@headwater/rpc";
import type { Environment } from "@headwater/settings";
import { address, choice, decimal, integer, readSettings, text } from "@headwater/settings";
import type { AdmissionLimits } from "./admission.ts";
import type { PressureLimits } from "./pressure.ts";

export const searchSettings = {
  HEADWATER_SEARCH_LISTEN: address().default("127.0.0.1:7003").describe("host:port that search listens on"),
  HEADWATER_EMBEDDING_ADDRESS: address()
    .default("127.0.0.1:7002")
    .describe("host:port of the embedding-worker"),
  HEADWATER_DATA_DIR: text().default("./data").describe("Folder for everything that is kept"),
  HEADWATER_SEARCH_FUSION: choice(["min-max", "rrf"])
    .default("min-max")
    .describe("How the lexical and the vector list become one, where the request does not say"),
  HEADWATER_SEARCH_LEXICAL_WEIGHT: decimal(0, 1)
    .default(0.25)
    .describe("Share of the lexical list in the fused score; the vector list has the rest. 1: lexical alone"),
  HEADWATER_SEARCH_FEEDBACK_WEIGHT: decimal(0, 4)
    .default(1)
    .describe(
      "How far the query vector moves towards the first hits before fusion; 0: not at all, for known-item search",
    ),
  HEADWATER_SEARCH_CANDIDATES: integer(10, 1000)
    .default(100)
    .describe(
      "Passages taken from each list; all pages of a search come from them. More cost time on every search",
    ),
  HEADWATER_SEARCH_RERANK_DEPTH: integer(0, 256)
    .default(30)
    .describe("How many of the fused hits are reranked; each costs one run of the model. 0: no rerank"),
  HEADWATER_SEARCH_RERANK_BUDGET_MS: integer(1, 60_000)
    .default(2000)
    .describe(
      "Milliseconds for the rerank; when they run out, what is known is returned and the summary says so",
    ),
  HEADWATER_SEARCH_RERANK_MAX_WAIT_MS: integer(0, 600_000)
    .default(250)
    .describe(
      "Milliseconds in line after which a search is not reranked, and says so; who waited less has the share of the budget that is left, half of it after half the time. 0: whoever waits at all is not reranked",
    ),
  HEADWATER_SEARCH_VECTOR_MAX_WAIT_MS: integer(0, 600_000)
    .default(1500)
    .describe(
      "Milliseconds in line after which a search is made by words alone, and says so: that costs a third, so the line hardly grows longer than this. Vectors are searched all the same where the words find nothing",
    ),
  HEADWATER_SEARCH_EMBED_TIMEOUT_MS: integer(1, 60_000)
    .default(2000)
    .describe("Milliseconds for the query's vector; when they run out, the search goes on with words alone"),
  HEADWATER_SEARCH_MAX_CONCURRENT: integer(1, 1024)
    .default(16)
    .describe("Searches that run at one time; more than the cores can bear make all of them slow"),
  HEADWATER_SEARCH_MAX_QUEUED: integer(0, 10_000)
    .default(192)
    .describe(
      "Searches that wait for their turn, about 50 KB each; beyond it they are refused at once with RESOURCE_EXHAUSTED",
    ),
  HEADWATER_SEARCH_MAX_WAIT_MS: integer(0, 600_000)
    .default(10_000)
    .describe(
      "Milliseconds that a search may have to wait for its turn; where it would be more, by the searches before, it is refused at once with RESOURCE_EXHAUSTED, and after twice as long in any case",
    ),
  HEADWATER_SEARCH_QUERY_CACHE_ENTRIES: integer(1, 1_000_000)
    .default(10_000)
    .describe("Query vectors kept in memory, about 2 KB each"),
  HEADWATER_SEARCH_PAGE_CACHE_MB: integer(1, 65_536)
    .default(64)
    .describe("Mebibytes for the rankings of recent searches, so that their next pages need no new search"),
  ...passageIndexSettings,
  ...rpcSettings,
  ...tlsSettings,
};

/** What a request may leave open. */
export interface SearchDefaults {
  readonly fusion: "min-max" | "rrf";
  /** 0 to 1. */
  readonly lexicalWeight: number;
  /** 0: no feedback. */
  readonly feedbackWeight: number;
  /** Passages from each list. */
  readonly candidates: number;
  /** Fused hits; 0: no rerank. */
  readonly rerankDepth: number;
  readonly rerankBudgetMs: number;
}

export interface SearchConfig {
  readonly listen: string;
  readonly rpc: RpcConfig;
  /** undefined: plain text. */
  readonly tls: TlsConfig | undefined;
  readonly embeddingAddress: string;
  /** Where the index is. */
  readonly indexValues: PassageIndexSettingValues;
  /** Of the index where it has no servers. */
  readonly indexFolder: string;
  readonly defaults: SearchDefaults;
  readonly pressure: PressureLimits;
  readonly embedTimeoutMs: number;
  readonly admission: AdmissionLimits;
  readonly queryCacheEntries: number;
  readonly pageCacheBytes: number;
}

/** @throws HeadwaterError FAILED_PRECONDITION, HW_SETTINGS_INVALID */
export function readSearchConfig(env?: Environment): SearchConfig {
  const values = readSettings(searchSettings, env);
  return {
    listen: values.HEADWATER_SEARCH_LISTEN,
    rpc: readRpcConfig(values),
    tls: readTlsConfig(values),
    embeddingAddress: values.HEADWATER_EMBEDDING_ADDRESS,
    indexValues: values,
    indexFolder: join(values.HEADWATER_DATA_DIR, "index"),
    defaults: {
      fusion: values.HEADWATER_SEARCH_FUSION,
      lexicalWeight: values.HEADWATER_SEARCH_LEXICAL_WEIGHT,
      feedbackWeight: values.HEADWATER_SEARCH_FEEDBACK_WEIGHT,
      candidates: values.HEADWATER_SEARCH_CANDIDATES,
      rerankDepth: values.HEADWATER_SEARCH_RERANK_DEPTH,
      rerankBudgetMs: values.HEADWATER_SEARCH_RERANK_BUDGET_MS,
    },
    pressure: {
      rerankMaxWaitMs: values.HEADWATER_SEARCH_RERANK_MAX_WAIT_MS,
      vectorMaxWaitMs: values.HEADWATER_SEARCH_VECTOR_MAX_WAIT_MS,
    },
    embedTimeoutMs: values.HEADWATER_SEARCH_EMBED_TIMEOUT_MS,
    admission: {
      maxRunning: values.HEADWATER_SEARCH_MAX_CONCURRENT,
      maxWaiting: values.HEADWATER_SEARCH_MAX_QUEUED,
      maxWaitMs: values.HEADWATER_SEARCH_MAX_WAIT_MS,
    },
    queryCacheEntries: values.HEADWATER_SEARCH_QUERY_CACHE_ENTRIES,
    pageCacheBytes: values.HEADWATER_SEARCH_PAGE_CACHE_MB * 1024 * 1024,
  };
}
