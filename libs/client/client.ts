import type { Interceptor, Transport } from "@connectrpc/connect";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { AgentService } from "@headwater/proto/connect/headwater/v1/agent";
import { ConversationService } from "@headwater/proto/connect/headwater/v1/conversation";
import { FeedbackService } from "@headwater/proto/connect/headwater/v1/feedback";
import { GenerationService } from "@headwater/proto/connect/headwater/v1/generation";
import { IngestService } from "@headwater/proto/connect/headwater/v1/ingest";
import { JobService } from "@headwater/proto/connect/headwater/v1/job";
import { MemoryService } from "@headwater/proto/connect/headwater/v1/memory";
import { PromptService } from "@headwater/proto/connect/headwater/v1/prompt";
import { SearchService } from "@headwater/proto/connect/headwater/v1/search";
import type { Agents, Tool } from "./agents.ts";
import { createAgents, listTools } from "./agents.ts";
import type { AnswerEvent, AnswerOptions, Model } from "./answer.ts";
import { answerEvent, answerRequest, continuedAnswer } from "./answer.ts";
import type { CallOptions, Identity } from "./call.ts";
import { connectOptions, stream, unary } from "./call.ts";
import type { ChatOptions, Turns } from "./chat.ts";
import { chat, createTurns } from "./chat.ts";
import type { ChatEvent } from "./chat-event.ts";
import type { Conversations } from "./conversations.ts";
import { createConversations } from "./conversations.ts";
import type { Documents } from "./documents.ts";
import { createDocuments } from "./documents.ts";
import type { FeedbackBook } from "./feedback.ts";
import { createFeedback } from "./feedback.ts";
import type { Jobs } from "./jobs.ts";
import { createJobs } from "./jobs.ts";
import type { Memories } from "./memories.ts";
import { createMemories } from "./memories.ts";
import type { DeadLetters, Pipeline } from "./pipeline.ts";
import { createDeadLetters, getPipeline } from "./pipeline.ts";
import type { Prompts } from "./prompts.ts";
import { createPrompts } from "./prompts.ts";
import { reconnected } from "./reconnect.ts";
import type { SearchEvent, SearchOptions } from "./search.ts";
import { continuedSearch, searchEvent, searchRequest } from "./search.ts";
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
  /** Whose conversations and memories. Default: whom the key names, or "default". */
  owner?: string;
  /** How often a search, an answer that has not begun, or a turn connects again; see `ReconnectOptions`. Default 8. */
  reconnects?: number;
}

/** What Headwater does, for browsers and Node. All methods throw HeadwaterClientError and nothing else. */
export interface HeadwaterClient {
  readonly documents: Documents;
  readonly deadLetters: DeadLetters;
  readonly conversations: Conversations;
  readonly turns: Turns;
  readonly agents: Agents;
  readonly prompts: Prompts;
  readonly feedback: FeedbackBook;
  readonly memories: Memories;
  readonly jobs: Jobs;
  /** Hits stage by stage, then the summary. Where the connection is lost it is searched anew. */
  search(query: string, options?: SearchOptions): AsyncGenerator<SearchEvent, void, undefined>;
  /**
   * The passages, the text with its citations, then the end. Stopping early stops the model. Asked again where the
   * connection is lost before the first event; later it fails, as another run of the model is another answer.
   */
  answer(question: string, options?: AnswerOptions): AsyncGenerator<AnswerEvent, void, undefined>;
  /**
   * One turn of a conversation, by default of a new one, until it is answered. A lost connection is made again and goes
   * on with the next event. Stopping early does not end the turn, unless it is stateless: see `turns`.
   */
  chat(message: string, options?: ChatOptions): AsyncGenerator<ChatEvent, void, undefined>;
  /** The tools that agents may have, and the sources of tools that do not answer, as "name: why". */
  tools(options?: CallOptions): Promise<{ tools: Tool[]; unavailable: string[] }>;
  /** The language models that `answer` and `chat` may name. */
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
  const conversation = createClient(ConversationService, transport);
  const agent = createClient(AgentService, transport);
  const tenantOf = (call: CallOptions) => call.tenant ?? options.tenant ?? "";
  const identity: Identity = {
    tenantOf,
    of: (call) => ({ tenant: tenantOf(call), owner: call.owner ?? options.owner ?? "" }),
  };
  const lasting = options.reconnects === undefined ? {} : { reconnects: options.reconnects };
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
    conversations: createConversations(conversation, identity),
    turns: createTurns(conversation, identity, lasting),
    agents: createAgents(agent, identity),
    prompts: createPrompts(createClient(PromptService, transport), identity),
    feedback: createFeedback(createClient(FeedbackService, transport), identity),
    memories: createMemories(createClient(MemoryService, transport), identity),
    jobs: createJobs(createClient(JobService, transport), identity),
    search(query, call = {}) {
      const request = searchRequest(query, tenantOf(call), call);
      const open = (c: CallOptions) => stream(c, (o) => search.search(request, o), searchEvent);
      return reconnected({ ...lasting, ...call }, open, continuedSearch());
    },
    answer(question, call = {}) {
      const request = answerRequest(question, tenantOf(call), call);
      const open = (c: CallOptions) => stream(c, (o) => generation.answer(request, o), answerEvent);
      return reconnected({ ...lasting, ...call }, open, continuedAnswer());
    },
    async models(call = {}) {
      const { models } = await unary(generation.listModels({}, connectOptions(call)));
      return models.map(({ name, provider, isDefault, contextTokens, toolCalling, fallbacks }) => ({
        ...{ name, provider, isDefault, contextTokens, toolCalling, fallbacks },
      }));
    },
    chat: (message, call = {}) => chat(conversation, identity, message, { ...lasting, ...call }),
    tools: (call = {}) => listTools(agent, tenantOf(call), call),
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
