import type { Interceptor, Transport } from "@connectrpc/connect";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { GenerationService } from "@headwater/proto/connect/headwater/v1/generation";
import { IngestService } from "@headwater/proto/connect/headwater/v1/ingest";
import { SearchService } from "@headwater/proto/connect/headwater/v1/search";
import type { AnswerEvent, AnswerOptions, Model } from "./answer.ts";
import { answerEvent, answerRequest } from "./answer.ts";
import type { CallOptions } from "./call.ts";
import { connectOptions, stream, unary } from "./call.ts";
import type { Documents } from "./documents.ts";
import { createDocuments } from "./documents.ts";
import type { DeadLetters, Pipeline } from "./pipeline.ts";
import { createDeadLetters, getPipeline } from "./pipeline.ts";
import type { SearchEvent, SearchOptions } from "./search.ts";
import { searchEvent, searchRequest } from "./search.ts";
import type {
  ReconcileOptions,
  ReconcileProgress,
  ReindexOptions,
  ReindexProgress,
  ReindexStatus,
} from "./upkeep.ts";
import { getReindex, reconcile, reindex } from "./upkeep.ts";

export interface HeadwaterClientOptions {
  /** Origin of the gateway, such as "https://headwater.example". Needed for `documents.upload`. */
  baseUrl?: string;
  /** How calls travel to `baseUrl`. Default "connect". */
  protocol?: "connect" | "grpc-web";
  /** Carries the calls instead of a transport made for `baseUrl`; see `createNodeTransport` of `@headwater/client/node`. */
  transport?: Transport;
  /** Sent as a bearer token with calls to `baseUrl`. A transport of one's own sends its own. */
  apiKey?: string;
  /** Owner of the documents. Default: the server's choice. */
  tenant?: string;
}

/** What Headwater does, for browsers and Node. All methods throw HeadwaterClientError and nothing else. */
export interface HeadwaterClient {
  readonly documents: Documents;
  readonly deadLetters: DeadLetters;
  /** Hits stage by stage, then the summary. */
  search(query: string, options?: SearchOptions): AsyncGenerator<SearchEvent, void, undefined>;
  /** The passages, the text with its citations, then the end. Stopping early stops the model. */
  answer(question: string, options?: AnswerOptions): AsyncGenerator<AnswerEvent, void, undefined>;
  /** The language models that `answer` may name. */
  models(options?: CallOptions): Promise<Model[]>;
  /** State of the pipeline: documents by state, lag, dead letters. */
  pipeline(options?: CallOptions): Promise<Pipeline>;
  /** Makes all passages anew from the originals, of the tenant or, where none is named, of all. */
  reindex(options?: ReindexOptions): AsyncGenerator<ReindexProgress, void, undefined>;
  /** How the reindex of all tenants stands, and which generations of the indexes there are. */
  reindexStatus(options?: CallOptions): Promise<ReindexStatus>;
  /** Compares originals, catalog and indexes, of the tenant or, where none is named, of all. */
  reconcile(options?: ReconcileOptions): AsyncGenerator<ReconcileProgress, void, undefined>;
}

export function createHeadwaterClient(options: HeadwaterClientOptions): HeadwaterClient {
  const transport = options.transport ?? webTransport(options);
  const ingest = createClient(IngestService, transport);
  const search = createClient(SearchService, transport);
  const generation = createClient(GenerationService, transport);
  const tenantOf = (call: CallOptions) => call.tenant ?? options.tenant ?? "";
  const upload = {
    baseUrl: options.baseUrl,
    headers: {
      ...(options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` }),
      ...(options.tenant === undefined ? {} : { "x-headwater-tenant": options.tenant }),
    },
  };
  return {
    documents: createDocuments(ingest, tenantOf, upload),
    deadLetters: createDeadLetters(ingest, tenantOf),
    search: (query, call = {}) =>
      stream(call, (c) => search.search(searchRequest(query, tenantOf(call), call), c), searchEvent),
    answer: (question, call = {}) =>
      stream(call, (c) => generation.answer(answerRequest(question, tenantOf(call), call), c), answerEvent),
    async models(call = {}) {
      const { models } = await unary(generation.listModels({}, connectOptions(call)));
      return models.map(({ name, provider, isDefault }) => ({ name, provider, isDefault }));
    },
    pipeline: (call = {}) => getPipeline(ingest, tenantOf(call), call),
    reindex: (call = {}) => reindex(ingest, tenantOf(call), call),
    reindexStatus: (call = {}) => getReindex(ingest, call),
    reconcile: (call = {}) => reconcile(ingest, tenantOf(call), call),
  };
}

function webTransport({ baseUrl, protocol, apiKey }: HeadwaterClientOptions): Transport {
  if (baseUrl === undefined) throw new TypeError("createHeadwaterClient needs `baseUrl` or `transport`");
  const interceptors = apiKey === undefined ? [] : [bearer(apiKey)];
  // Binary: a third of the bytes of JSON, and int64 stays exact.
  return protocol === "grpc-web"
    ? createGrpcWebTransport({ baseUrl, interceptors })
    : createConnectTransport({ baseUrl, interceptors, useBinaryFormat: true });
}

/** Sends an API key with each call. */
export function bearer(apiKey: string): Interceptor {
  return (next) => (request) => {
    request.header.set("authorization", `Bearer ${apiKey}`);
    return next(request);
  };
}
