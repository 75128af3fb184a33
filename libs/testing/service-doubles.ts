import { createHash } from "node:crypto";
import { EventEmitter, on } from "node:events";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import { AgentServiceDefinition } from "@headwater/proto/services/headwater/v1/agent";
import { ConversationServiceDefinition } from "@headwater/proto/services/headwater/v1/conversation";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import { FeedbackServiceDefinition } from "@headwater/proto/services/headwater/v1/feedback";
import type {
  AnswerRequest,
  AnswerResponse,
  DeepPartial,
} from "@headwater/proto/services/headwater/v1/generation";
import { EndReason, GenerationServiceDefinition } from "@headwater/proto/services/headwater/v1/generation";
import type {
  CreateUploadRequest,
  Document,
  PushDocument,
  PushRequest,
  PushResponse,
  PutUploadRequest,
} from "@headwater/proto/services/headwater/v1/ingest";
import {
  Discrepancy,
  DocumentState,
  IngestServiceDefinition,
  ReindexState,
} from "@headwater/proto/services/headwater/v1/ingest";
import { JobServiceDefinition } from "@headwater/proto/services/headwater/v1/job";
import { MemoryServiceDefinition } from "@headwater/proto/services/headwater/v1/memory";
import { PromptServiceDefinition } from "@headwater/proto/services/headwater/v1/prompt";
import type { SearchRequest, SearchResponse } from "@headwater/proto/services/headwater/v1/search";
import { SearchServiceDefinition, Stage } from "@headwater/proto/services/headwater/v1/search";
import type { RpcServer } from "@headwater/rpc";
import { servedService, startRpcServer } from "@headwater/rpc";
import { silentTelemetry } from "@headwater/telemetry";
import { agentsDouble } from "./agents-double.ts";
import { ConversationsDouble } from "./conversations-double.ts";
import type { DoubleContext as Context, EnterDouble } from "./double-call.ts";
import { embeddingDouble } from "./embedding-double.ts";
import { feedbackDouble } from "./feedback-double.ts";
import { jobsDouble } from "./jobs-double.ts";
import { memoriesDouble } from "./memories-double.ts";
import { promptsDouble } from "./prompts-double.ts";
import { directUrl, UploadsDouble } from "./uploads-double.ts";

/** Ingest, search and generation on loopback, over real gRPC, for tests of what stands in front of them. */
export interface ServiceDoubles {
  readonly ingest: RpcServer;
  readonly search: RpcServer;
  readonly generation: RpcServer;
  readonly embedding: RpcServer;
  readonly conversations: ConversationsDouble;
  readonly seen: Seen;
  close(): Promise<void>;
}

/** What the doubles observed. */
export interface Seen {
  /** Streams whose caller left before the end. */
  cancelled: number;
  /** Messages that the endless streams have produced. */
  produced: number;
  /** Bytes of document content that were pushed. */
  pushedBytes: number;
  /** Metadata of the newest call, by header. */
  metadata: ReadonlyMap<string, string>;
  /** Tenant of the newest call. */
  tenant: string;
  /** Owner of the newest call that has one. */
  owner: string;
  /** The newest search. */
  searchRequest: SearchRequest | undefined;
  /** The newest question. */
  answerRequest: AnswerRequest | undefined;
  /** Milliseconds that the ingest double takes for each message of a push. */
  pushPaceMs: number;
  /** While set, services say that they are not ready. */
  notReady: HeadwaterError | undefined;
}

/**
 * Queries and questions choose what happens: "bad" is refused, "busy" is overloaded with a retry hint of 1,250 ms,
 * "bug" fails unexpectedly, "endless" and "flood" never end (slowly, and as fast as the reader reads), "hang" says nothing,
 * "break" fails after its first message. Documents whose id starts with "refused" are refused.
 */
export async function startServiceDoubles(options: { searchAddress?: string } = {}): Promise<ServiceDoubles> {
  const seen: Seen = {
    cancelled: 0,
    produced: 0,
    pushedBytes: 0,
    metadata: new Map(),
    tenant: "",
    owner: "",
    searchRequest: undefined,
    answerRequest: undefined,
    pushPaceMs: 0,
    notReady: undefined,
  };
  const enter: EnterDouble = async (word, request, context) => {
    note(seen, request.tenant, context);
    seen.owner = request.owner ?? "";
    await misbehave(seen, word, context);
  };
  const conversations = new ConversationsDouble({
    enter,
    hit: () => hit({}),
    summary,
    citation,
  });
  const checkReadiness = async () => {
    if (seen.notReady) throw seen.notReady;
  };
  const [ingest, search, generation, embedding] = await Promise.all([
    startRpcServer({
      address: "127.0.0.1:0",
      definition: IngestServiceDefinition,
      implementation: ingestDouble(seen),
      telemetry: silentTelemetry("ingest"),
      checkReadiness,
    }),
    startRpcServer({
      address: options.searchAddress ?? "127.0.0.1:0",
      definition: SearchServiceDefinition,
      implementation: searchDouble(seen),
      telemetry: silentTelemetry("search"),
      checkReadiness,
    }),
    startRpcServer({
      address: "127.0.0.1:0",
      definition: GenerationServiceDefinition,
      implementation: generationDouble(seen),
      further: [
        servedService(ConversationServiceDefinition, conversations.implementation()),
        servedService(AgentServiceDefinition, agentsDouble(enter)),
        servedService(PromptServiceDefinition, promptsDouble(enter)),
        servedService(FeedbackServiceDefinition, feedbackDouble(enter)),
        servedService(MemoryServiceDefinition, memoriesDouble(enter)),
        servedService(JobServiceDefinition, jobsDouble(enter)),
      ],
      telemetry: silentTelemetry("generation"),
      checkReadiness,
    }),
    startRpcServer({
      address: "127.0.0.1:0",
      definition: EmbeddingServiceDefinition,
      implementation: embeddingDouble(),
      telemetry: silentTelemetry("embedding-worker"),
      checkReadiness,
    }),
  ]);
  const close = async () => {
    conversations.close();
    await Promise.all([ingest, search, generation, embedding].map((server) => server.close(200)));
  };
  return { ingest, search, generation, embedding, conversations, seen, close };
}

function note(seen: Seen, tenant: string, context: Context): void {
  seen.tenant = tenant;
  seen.metadata = new Map([...context.metadata].map(([key, values]) => [key, String(values[0])]));
}

async function misbehave(seen: Seen, word: string, context: Context): Promise<void> {
  if (word === "bad") throw invalidArgument("HW_QUERY_EMPTY", "The query is empty.", "Send words.");
  if (word === "bug") throw new TypeError("secret of the house");
  if (word === "busy") {
    throw new HeadwaterError({
      code: status.RESOURCE_EXHAUSTED,
      reason: "HW_OVERLOADED",
      message: "Too much to do.",
      action: "Try again later.",
      retryAfterMs: 1250,
    });
  }
  if (word === "hang") await abortion(seen, context);
}

/** Rejects when the caller leaves. */
function abortion(seen: Seen, context: Context): Promise<never> {
  return new Promise((_, reject) => {
    const leave = () => {
      seen.cancelled += 1;
      reject(context.signal.reason);
    };
    if (context.signal.aborted) leave();
    else context.signal.addEventListener("abort", leave, { once: true });
  });
}

/** Numbers without end; "endless" makes one each 20 ms, "flood" as many as are read. */
async function* endless(seen: Seen, word: string, context: Context): AsyncGenerator<number> {
  context.abortOnTerminate();
  try {
    for (let index = 0; ; index += 1) {
      if (word === "endless") await new Promise((resolve) => setTimeout(resolve, 20));
      context.signal.throwIfAborted();
      seen.produced += 1;
      yield index;
    }
  } finally {
    seen.cancelled += 1;
  }
}

const document = {
  id: "guide/tides.md",
  version: 1_700_000_000_000,
  title: "Tides",
  uri: "https://example.org/tides",
  mediaType: "text/markdown",
  attributes: { shelf: "sea" },
  observedTime: new Date("2026-11-01T12:00:00Z"),
};
const text = "Spring tides come at new moon and at full moon.";

function hit(request: { explain?: boolean; highlight?: boolean }) {
  return {
    passageId: "default/guide/tides.md/1700000000000/0",
    document,
    text,
    location: { range: { start: 10, end: 10 + text.length }, page: 2, headingPath: ["Sea", "Tides"] },
    score: 0.75,
    rank: 1,
    highlights: request.highlight ? [{ start: 0, end: 6 }] : [],
    explanation: request.explain
      ? {
          lists: [
            { stage: Stage.LEXICAL, rank: 1, score: 12.5, weight: 0.4, share: 0.3 },
            { stage: Stage.VECTOR, rank: 2, score: 0.8, weight: 0.6, share: 0.45 },
          ],
          fusedScore: 0.75,
          rerankScore: 0.9,
        }
      : undefined,
  };
}

const summary = {
  nextPageToken: "next",
  milliseconds: { total: 12.5, first_hits: 3 },
  finalStage: Stage.RERANKED,
  degradations: [{ stage: Stage.VECTOR, reason: "HW_RETRIEVER_DOWN", message: "The vector index is down." }],
  candidates: 40,
  queryCached: false,
};

const citation = {
  source: 1,
  claim: { start: 0, end: 26 },
  evidence: { start: 10, end: 57 },
  passageId: "default/guide/tides.md/1700000000000/0",
  document,
  page: 2,
  quote: text,
  support: 0.92,
};

function searchDouble(seen: Seen) {
  return {
    async *search(request: SearchRequest, context: Context): AsyncGenerator<DeepPartial<SearchResponse>> {
      note(seen, request.tenant, context);
      seen.searchRequest = request;
      await misbehave(seen, request.query, context);
      const hits = (stage: Stage, padding = ""): DeepPartial<SearchResponse> => {
        const found = hit(request);
        return {
          event: {
            $case: "hits",
            value: { stage, hits: [{ ...found, text: found.text + padding }], elapsedMs: 3 },
          },
        };
      };
      if (request.query === "endless" || request.query === "flood") {
        const padding = request.query === "flood" ? "x".repeat(64 * 1024) : "";
        for await (const _ of endless(seen, request.query, context)) yield hits(Stage.LEXICAL, padding);
      }
      yield hits(Stage.LEXICAL);
      if (request.query === "break") throw new HeadwaterError(broken);
      yield hits(Stage.FUSED);
      yield hits(Stage.RERANKED);
      yield { event: { $case: "summary", value: summary } };
    },
  };
}

const broken = {
  code: status.UNAVAILABLE,
  reason: "HW_INDEX_DOWN" as const,
  message: "The index is down.",
  action: "Try again.",
};

function generationDouble(seen: Seen) {
  return {
    async *answer(request: AnswerRequest, context: Context): AsyncGenerator<DeepPartial<AnswerResponse>> {
      note(seen, request.tenant, context);
      seen.answerRequest = request;
      await misbehave(seen, request.question, context);
      yield { event: { $case: "passages", value: { hits: [hit({})], summary } } };
      if (request.question === "break") throw new HeadwaterError(broken);
      if (request.question === "endless" || request.question === "flood") {
        const piece = request.question === "flood" ? "y".repeat(64 * 1024) : "y";
        for await (const _ of endless(seen, request.question, context))
          yield { event: { $case: "text", value: { text: piece } } };
      }
      yield { event: { $case: "text", value: { text: "At new moon " } } };
      yield { event: { $case: "text", value: { text: "and full moon." } } };
      yield { event: { $case: "citation", value: citation } };
      yield {
        event: {
          $case: "end",
          value: {
            reason: EndReason.COMPLETE,
            usage: { inputTokens: 120, outputTokens: 8 },
            model: "extractive",
            milliseconds: { search: 10, first_token: 15, total: 20 },
            answerId: "answer-1",
          },
        },
      };
    },
    async listModels() {
      const model = { name: "extractive", provider: "extractive", isDefault: true, toolCalling: "none" };
      return { models: [model] };
    },
  };
}

interface Stored {
  document: Document;
  bytes: Buffer;
}

function ingestDouble(seen: Seen) {
  const stored = new Map<string, Stored>();
  const uploads = new UploadsDouble();
  const changes = new EventEmitter().setMaxListeners(0);
  let offset = 0;
  const key = (tenant: string, id: string) => `${tenant || "default"}/${id}`;
  const find = (tenant: string, id: string, context: Context) => {
    note(seen, tenant, context);
    const found = stored.get(key(tenant, id));
    if (found) return found;
    throw new HeadwaterError({
      code: status.NOT_FOUND,
      reason: "HW_DOCUMENT_NOT_FOUND",
      message: "There is no document of this id.",
      action: "Check the id.",
    });
  };

  const finish = (start: PushDocument, pieces: Buffer[], bytes: number, sha256: string): PushResponse => {
    const uploaded = start.upload === "" ? undefined : uploads.contentOf(start);
    if (start.id === "" || start.id.startsWith("refused") || (start.upload !== "" && !uploaded)) {
      return {
        id: start.id,
        version: 0,
        partition: 0,
        offset: 0,
        error: { reason: "HW_DOCUMENT_ID_INVALID", message: "The id is not valid." },
      };
    }
    const version = start.version || 1;
    const { id, title, uri, mediaType, attributes, observedTime } = start;
    const entry: Stored = {
      bytes: uploaded ?? Buffer.concat(pieces),
      document: {
        metadata: { id, version, title, uri, mediaType, attributes, observedTime },
        state: DocumentState.INDEXED,
        failure: undefined,
        sizeBytes: bytes,
        passages: 1,
        textLength: bytes,
        updatedTime: new Date("2026-11-01T12:00:01Z"),
        contentSha256: sha256,
      },
    };
    stored.set(key(start.tenant, id), entry);
    changes.emit("change", start.tenant || "default", entry.document);
    offset += 1;
    return { id, version, partition: 3, offset, error: undefined };
  };

  return {
    async *push(requests: AsyncIterable<PushRequest>, context: Context): AsyncGenerator<PushResponse> {
      let start: PushDocument | undefined;
      let pieces: Buffer[] = [];
      let bytes = 0;
      let hash = createHash("sha256");
      try {
        for await (const { part } of requests) {
          if (part === undefined) throw invalidArgument("HW_PUSH_INVALID", "A message without a part.");
          if (seen.pushPaceMs > 0) await new Promise((resolve) => setTimeout(resolve, seen.pushPaceMs));
          if (part.$case === "document") {
            start = part.value;
            pieces = [];
            bytes = 0;
            hash = createHash("sha256");
            note(seen, start.tenant, context);
          }
          if (start === undefined) throw invalidArgument("HW_PUSH_INVALID", "A piece without a document.");
          const data = part.$case === "document" ? part.value.content : part.value.data;
          seen.pushedBytes += data.length;
          bytes += data.length;
          hash.update(data);
          // Only what fits a test's memory is kept; a push of a gigabyte is counted, not stored.
          if (bytes <= 1024 * 1024) pieces.push(Buffer.from(data));
          if (!part.value.more) yield finish(start, pieces, bytes, hash.digest("hex"));
        }
      } finally {
        // grpc-js ends the requests of a cancelled call first and says that it was cancelled a moment later.
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (context.signal.aborted) seen.cancelled += 1;
      }
    },
    async *watch(
      request: { tenant: string; ids: string[]; untilSettled: boolean; changesOnly: boolean },
      context: Context,
    ) {
      note(seen, request.tenant, context);
      context.abortOnTerminate();
      const tenant = request.tenant || "default";
      try {
        const changed = on(changes, "change", { signal: context.signal });
        const chosen = ({ metadata }: Document) =>
          request.ids.length === 0 || request.ids.includes(metadata?.id ?? "");
        if (!request.changesOnly)
          for (const [name, { document }] of stored)
            if (name.startsWith(`${tenant}/`) && chosen(document)) yield { document };
        if (request.untilSettled) return;
        for await (const [owner, document] of changed as AsyncIterable<[string, Document]>)
          if (owner === tenant && chosen(document)) yield { document };
      } finally {
        if (context.signal.aborted) seen.cancelled += 1;
      }
    },
    async getDocument({ tenant, id }: { tenant: string; id: string }, context: Context) {
      return { document: find(tenant, id, context).document };
    },
    async getText(
      request: {
        tenant: string;
        id: string;
        version: number;
        range: { start: number; end: number } | undefined;
      },
      context: Context,
    ) {
      const { document, bytes } = find(request.tenant, request.id, context);
      const whole = bytes.toString();
      const start = Math.min(request.range?.start ?? 0, whole.length);
      const end = Math.min(request.range?.end ?? whole.length, whole.length);
      return {
        metadata: document.metadata,
        text: whole.slice(start, end),
        range: { start, end },
        textLength: whole.length,
      };
    },
    async createUpload(request: CreateUploadRequest, context: Context) {
      note(seen, request.tenant, context);
      return uploads.create(request);
    },
    async putUpload(requests: AsyncIterable<PutUploadRequest>) {
      return await uploads.put(requests);
    },
    async *getOriginal(
      { tenant, id, preferUrl }: { tenant: string; id: string; preferUrl: boolean },
      context: Context,
    ) {
      const { document, bytes } = find(tenant, id, context);
      if (preferUrl && id.startsWith("direct")) {
        yield {
          metadata: document.metadata,
          url: directUrl + id,
          expiresTime: new Date("2026-11-01T12:15:00Z"),
        };
        return;
      }
      yield { metadata: document.metadata, data: bytes.subarray(0, 4) };
      yield { data: bytes.subarray(4) };
    },
    async listDocuments(
      request: {
        tenant: string;
        pageSize: number;
        pageToken: string;
        states: DocumentState[];
        idPrefix: string;
      },
      context: Context,
    ) {
      note(seen, request.tenant, context);
      const prefix = key(request.tenant, request.idPrefix);
      const names = [...stored.keys()].filter((name) => name.startsWith(prefix)).sort();
      const from = request.pageToken === "" ? 0 : Number(request.pageToken);
      const size = request.pageSize || 100;
      const documents = names.slice(from, from + size).flatMap((name) => {
        const found = stored.get(name)?.document;
        return found && (request.states.length === 0 || request.states.includes(found.state)) ? [found] : [];
      });
      return { documents, nextPageToken: from + size < names.length ? String(from + size) : "" };
    },
    async deleteDocument({ tenant, id }: { tenant: string; id: string }, context: Context) {
      note(seen, tenant, context);
      stored.delete(key(tenant, id));
      offset += 1;
      return { partition: 3, offset };
    },
    async getPipeline({ tenant }: { tenant: string }, context: Context) {
      note(seen, tenant, context);
      return {
        documents: [{ state: DocumentState.INDEXED, documents: stored.size }],
        partitions: [{ partition: 0, endOffset: 10, committedOffset: 7 }],
        deadLetters: 1,
        passages: 12,
        indexFingerprint: "abc",
        indexedSinceStart: stored.size,
      };
    },
    async listDeadLetters({ tenant }: { tenant: string }, context: Context) {
      note(seen, tenant, context);
      const failure = {
        stage: "parse",
        reason: "HW_DOCUMENT_ENCRYPTED",
        message: "The PDF asks for a password.",
        attempts: 1,
      };
      const letter = { id: "0:5", documentId: "locked.pdf", version: 4, failure, partition: 0, offset: 5 };
      return {
        deadLetters: [{ ...letter, failedTime: new Date("2026-11-02T00:00:00Z") }],
        nextPageToken: "",
      };
    },
    async getDeadLetter({ tenant, id }: { tenant: string; id: string }, context: Context) {
      note(seen, tenant, context);
      return {
        deadLetter: { id, documentId: "locked.pdf", version: 4, partition: 0, offset: 5 },
        metadata: { id: "locked.pdf", version: 4, title: "Locked" },
        headers: { traceparent: "00-1" },
        sizeBytes: 3,
        content: Buffer.from("%PD"),
      };
    },
    async replayDeadLetters({ tenant, ids }: { tenant: string; ids: string[] }, context: Context) {
      note(seen, tenant, context);
      return { replayed: ids.length || 1 };
    },
    async *reindex({ tenant }: { tenant: string }, context: Context) {
      note(seen, tenant, context);
      yield { done: 0, total: 2, failed: 0 };
      yield { done: 2, total: 2, failed: 0 };
    },
    async getReindex(_request: object, context: Context) {
      note(seen, "", context);
      return {
        state: ReindexState.SWITCHED,
        done: 2,
        total: 2,
        generations: [{ name: "g1", serves: true, passages: 12, fingerprint: "abc" }],
        fingerprint: "abc",
      };
    },
    async *reconcile({ tenant, repair }: { tenant: string; repair: boolean }, context: Context) {
      note(seen, tenant, context);
      const discrepancy = Discrepancy.MISSING_PASSAGES;
      yield { done: 0, total: 2, findings: [] };
      const examples = [{ tenant, id: "a" }];
      yield { done: 2, total: 2, findings: [{ discrepancy, found: 1, mended: repair ? 1 : 0, examples }] };
    },
  };
}
