import { create } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import type {
  DeadLetter as DeadLetterMessage,
  GetPipelineResponse,
  IngestService,
} from "@headwater/proto/connect/headwater/v1/ingest";
import { DeadLetterSchema } from "@headwater/proto/connect/headwater/v1/ingest";
import type { CallOptions } from "./call.ts";
import { connectOptions, unary } from "./call.ts";
import type { DocumentMetadata, DocumentState, Failure } from "./document.ts";
import { documentStates, fromState, toDate, toFailure, toMetadata } from "./document.ts";

/** State of the pipeline. */
export interface Pipeline {
  /** Documents of the tenant by state; every state is there. */
  readonly documents: Readonly<Record<DocumentState, number>>;
  /** Over all tenants. */
  readonly partitions: readonly PartitionLag[];
  /** Events in the log that are not yet done, over all tenants. */
  readonly lag: number;
  /** Over all tenants. */
  readonly deadLetters: number;
  /** Passages in the indexes, over all tenants. */
  readonly passages: number;
  /** Empty while the indexes are empty. */
  readonly indexFingerprint: string;
  readonly indexedSinceStart: number;
}

export interface PartitionLag {
  readonly partition: number;
  readonly endOffset: number;
  readonly committedOffset: number;
}

/** A document that could not be processed. */
export interface DeadLetter {
  /** For `replay`. */
  readonly id: string;
  readonly documentId: string;
  readonly version: number;
  readonly failure: Failure | undefined;
  readonly failedTime: Date | undefined;
  readonly partition: number;
  readonly offset: number;
}

/** All that is known of a dead letter. */
export interface DeadLetterDetails extends DeadLetter {
  /** Undefined where the event is a deletion or cannot be read. */
  readonly metadata: DocumentMetadata | undefined;
  /** Of the record in the log. */
  readonly headers: Readonly<Record<string, string>>;
  readonly appendedTime: Date | undefined;
  /** Of the original. */
  readonly sizeBytes: number;
  /** The first MiB of the original; only where it was asked for. */
  readonly content: Uint8Array | undefined;
}

export interface PageOptions extends CallOptions {
  /** 1 to 1,000. Default 100. */
  pageSize?: number;
  pageToken?: string;
}

export interface DeadLetters {
  /** Newest first. */
  list(options?: PageOptions): Promise<{ deadLetters: DeadLetter[]; nextPageToken: string }>;
  /** @throws HeadwaterClientError NOT_FOUND where there is none of this id */
  get(id: string, options?: CallOptions & { withContent?: boolean }): Promise<DeadLetterDetails>;
  /** Puts dead letters back into the log; without ids all of the tenant. Resolves with how many. */
  replay(ids?: readonly string[], options?: CallOptions): Promise<number>;
}

export async function getPipeline(
  ingest: Client<typeof IngestService>,
  tenant: string,
  options: CallOptions,
): Promise<Pipeline> {
  return toPipeline(await unary(ingest.getPipeline({ tenant }, connectOptions(options))));
}

function toPipeline(message: GetPipelineResponse): Pipeline {
  const partitions = message.partitions.map(({ partition, endOffset, committedOffset }) => ({
    partition,
    endOffset: Number(endOffset),
    committedOffset: Number(committedOffset),
  }));
  const count = (name: DocumentState) =>
    Number(message.documents.find(({ state }) => state === fromState(name))?.documents ?? 0n);
  return {
    documents: Object.fromEntries(documentStates.map((name) => [name, count(name)])) as Record<
      DocumentState,
      number
    >,
    partitions,
    lag: partitions.reduce((sum, { endOffset, committedOffset }) => sum + endOffset - committedOffset, 0),
    deadLetters: Number(message.deadLetters),
    passages: Number(message.passages),
    indexFingerprint: message.indexFingerprint,
    indexedSinceStart: Number(message.indexedSinceStart),
  };
}

export function createDeadLetters(
  ingest: Client<typeof IngestService>,
  tenantOf: (options: CallOptions) => string,
): DeadLetters {
  return {
    async list(options = {}) {
      const request = {
        tenant: tenantOf(options),
        pageSize: options.pageSize ?? 0,
        pageToken: options.pageToken ?? "",
      };
      const { deadLetters, nextPageToken } = await unary(
        ingest.listDeadLetters(request, connectOptions(options)),
      );
      return {
        nextPageToken,
        deadLetters: deadLetters.map(toDeadLetter),
      };
    },
    async get(id, options = {}) {
      const withContent = options.withContent ?? false;
      const request = { tenant: tenantOf(options), id, withContent };
      const message = await unary(ingest.getDeadLetter(request, connectOptions(options)));
      return {
        ...toDeadLetter(message.deadLetter ?? create(DeadLetterSchema, { id })),
        metadata: message.metadata && toMetadata(message.metadata),
        headers: message.headers,
        appendedTime: toDate(message.appendedTime),
        sizeBytes: Number(message.sizeBytes),
        content: withContent ? message.content : undefined,
      };
    },
    async replay(ids = [], options = {}) {
      const request = { tenant: tenantOf(options), ids: [...ids] };
      const { replayed } = await unary(ingest.replayDeadLetters(request, connectOptions(options)));
      return replayed;
    },
  };
}

function toDeadLetter(message: DeadLetterMessage): DeadLetter {
  const { id, documentId, version, failure, failedTime, partition, offset } = message;
  return {
    ...{ id, documentId, partition },
    version: Number(version),
    failure: toFailure(failure),
    failedTime: toDate(failedTime),
    offset: Number(offset),
  };
}
