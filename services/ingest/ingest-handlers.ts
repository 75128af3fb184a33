import type { DocumentLog } from "@headwater/document-log";
import { recordKey } from "@headwater/document-log";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import type {
  CreateUploadRequest,
  DeepPartial,
  DocumentState,
  GetDeadLetterRequest,
  GetDocumentRequest,
  GetOriginalRequest,
  GetOriginalResponse,
  GetPipelineRequest,
  GetTextRequest,
  IngestServiceImplementation,
  ListDeadLettersRequest,
  ListDocumentsRequest,
  PushRequest,
  PutUploadRequest,
  ReconcileRequest,
  ReindexRequest,
  ReplayDeadLettersRequest,
  WatchRequest,
} from "@headwater/proto/services/headwater/v1/ingest";
import type { RpcContext } from "@headwater/rpc";
import {
  checkPageSize,
  checkTenant,
  decodePageToken,
  encodePageToken,
  toPage,
  untilDraining,
} from "@headwater/rpc";
import { context as activeContext, propagation } from "@opentelemetry/api";
import type { CallContext } from "nice-grpc";
import type { Catalog } from "./catalog/catalog.ts";
import type { DocumentRecord } from "./catalog/document-record.ts";
import type { GenerationLedger } from "./catalog/generation-ledger.ts";
import { getDeadLetter } from "./documents/dead-letter.ts";
import { checkDocumentId } from "./documents/document-rules.ts";
import { getText } from "./documents/extracted-text.ts";
import { getOriginal } from "./documents/original.ts";
import { deadLetterOf, documentOf } from "./documents/to-proto.ts";
import { watch } from "./documents/watch.ts";
import type { IngestMetrics } from "./metrics.ts";
import { fingerprintText } from "./pipeline/fingerprint.ts";
import type { PipelineSupervisor } from "./pipeline/pipeline-supervisor.ts";
import type { PushParts } from "./push/push-stream.ts";
import { PushStream } from "./push/push-stream.ts";
import type { Reconciler } from "./reconcile/reconciler.ts";
import { reindexStatus } from "./reindex/reindex-status.ts";
import type { Reindexer } from "./reindex/reindexer.ts";
import type { Stores } from "./stores.ts";

export interface HandlerParts {
  readonly stores: Stores;
  readonly catalog: Catalog;
  readonly push: PushParts;
  readonly ledger: GenerationLedger;
  readonly supervisor: PipelineSupervisor;
  readonly reindexer: Reindexer;
  readonly reconciler: Reconciler;
  readonly metrics: IngestMetrics;
  readonly group: string;
  readonly indexedSinceStart: () => number;
}

/** Ids in one request. */
const maxReplayed = 10_000;
const pageSizes = { usual: 100, most: 1000 };

/** The rpcs of IngestService. */
export class IngestHandlers implements IngestServiceImplementation<RpcContext> {
  readonly #parts: HandlerParts;
  readonly #log: DocumentLog;

  constructor(parts: HandlerParts) {
    this.#parts = parts;
    this.#log = parts.stores.log;
  }

  push(requests: AsyncIterable<PushRequest>, { signal, draining }: CallContext & RpcContext) {
    return new PushStream(this.#parts.push, signal).answer(untilDraining(requests, draining));
  }

  async *watch(request: WatchRequest, context: CallContext & RpcContext) {
    context.abortOnTerminate();
    const { catalog, metrics } = this.#parts;
    metrics.watchers.inc();
    try {
      yield* watch(catalog, request, context.signal);
    } finally {
      metrics.watchers.dec();
    }
  }

  async getDocument(request: GetDocumentRequest) {
    const { status: found } = await this.#find(request);
    return { document: documentOf(found) };
  }

  async getText(request: GetTextRequest) {
    return await getText(this.#parts.catalog, this.#parts.stores.blobs, request);
  }

  async *getOriginal(request: GetOriginalRequest): AsyncGenerator<DeepPartial<GetOriginalResponse>> {
    const { served } = await this.#find(request);
    yield* getOriginal(this.#parts.stores.blobs, request.id, served, request.preferUrl);
  }

  async createUpload(request: CreateUploadRequest) {
    return await this.#parts.push.uploads.create(request);
  }

  async putUpload(requests: AsyncIterable<PutUploadRequest>) {
    return await this.#parts.push.uploads.put(requests);
  }

  async listDocuments(request: ListDocumentsRequest) {
    const tenant = checkTenant(request.tenant);
    const limit = checkPageSize(request.pageSize, pageSizes);
    const states: readonly DocumentState[] = request.states;
    const question = JSON.stringify([tenant, states, request.idPrefix]);
    const after = decodePageToken(question, request.pageToken);
    const records = await this.#parts.catalog.list({
      ...{ tenant, states, idPrefix: request.idPrefix },
      limit: limit + 1,
      ...(after === undefined ? {} : { after: { tenant, documentId: after } }),
    });
    const { page, nextPageToken } = toPage(records, limit, question, (last) => last.status.documentId);
    return { documents: page.map((record) => documentOf(record.status)), nextPageToken };
  }

  async deleteDocument(request: GetDocumentRequest, context: CallContext) {
    const tenant = checkTenant(request.tenant);
    const documentId = checkDocumentId(request.id);
    const headers: Record<string, string> = {};
    propagation.inject(activeContext.active(), headers);
    const record = { key: recordKey(tenant, documentId), value: null, headers };
    // Before the event can be read: whoever watches must not take the present state for the last.
    this.#parts.catalog.noteDeleting({ tenant, documentId });
    const { partition, offset } = await this.#parts.push.appender.append(
      { record, status: undefined },
      context.signal,
    );
    return { partition, offset };
  }

  async getPipeline(request: GetPipelineRequest) {
    const tenant = checkTenant(request.tenant);
    const { stores, catalog, group, indexedSinceStart } = this.#parts;
    const [counts, partitions, deadLetters, index] = await Promise.all([
      catalog.countByState(tenant),
      this.#log.lag(group),
      this.#log.countDeadLetters(),
      stores.indexes.active(),
    ]);
    return {
      documents: [...counts].map(([state, documents]) => ({ state, documents })),
      partitions: [...partitions],
      deadLetters,
      passages: (await index?.count()) ?? 0,
      indexFingerprint: index ? fingerprintText(index.fingerprint) : "",
      indexedSinceStart: indexedSinceStart(),
    };
  }

  async listDeadLetters(request: ListDeadLettersRequest) {
    const tenant = checkTenant(request.tenant);
    const question = `dead-letters/${tenant}`;
    const after = decodePageToken(question, request.pageToken);
    const limit = checkPageSize(request.pageSize, pageSizes);
    const { deadLetters, next } = await this.#log.listDeadLetters({
      ...{ tenant, limit },
      ...(after === undefined ? {} : { after }),
    });
    return {
      deadLetters: deadLetters.map(deadLetterOf),
      nextPageToken: next === undefined ? "" : encodePageToken(question, next),
    };
  }

  getDeadLetter(request: GetDeadLetterRequest) {
    return getDeadLetter(this.#parts.stores, request);
  }

  async replayDeadLetters({ tenant, ids }: ReplayDeadLettersRequest) {
    if (ids.length > maxReplayed)
      throw invalidArgument("HW_DEAD_LETTERS_INVALID", `At most ${maxReplayed} ids can be given.`);
    const query = { tenant: checkTenant(tenant), ...(ids.length > 0 ? { ids } : {}) };
    return { replayed: await this.#log.replayDeadLetters(query) };
  }

  reindex(request: ReindexRequest, context: CallContext & RpcContext) {
    context.abortOnTerminate();
    const tenant = request.tenant === "" ? undefined : checkTenant(request.tenant);
    return this.#parts.reindexer.run(tenant, request.action, context.signal);
  }

  getReindex() {
    const { ledger, stores, supervisor } = this.#parts;
    return reindexStatus(ledger, stores, supervisor);
  }

  reconcile(request: ReconcileRequest, context: CallContext & RpcContext) {
    context.abortOnTerminate();
    const tenant = request.tenant === "" ? undefined : checkTenant(request.tenant);
    return this.#parts.reconciler.run(tenant, request.repair, context.signal);
  }

  async #find(request: { tenant: string; id: string }): Promise<DocumentRecord> {
    const key = { tenant: checkTenant(request.tenant), documentId: checkDocumentId(request.id) };
    const [record] = await this.#parts.catalog.read([key]);
    if (record) return record;
    throw new HeadwaterError({
      ...{ code: status.NOT_FOUND, reason: "HW_DOCUMENT_NOT_FOUND" },
      message: "There is no document of this id.",
    });
  }
}
