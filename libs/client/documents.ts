import type { Client } from "@connectrpc/connect";
import type { IngestService } from "@headwater/proto/connect/headwater/v1/ingest";
import type { CallOptions } from "./call.ts";
import { connectOptions, stream, unary } from "./call.ts";
import type { CreatedUpload } from "./created-upload.ts";
import { putUpload, toCreatedUpload } from "./created-upload.ts";
import type { Document, DocumentMetadata, DocumentState, TextRange } from "./document.ts";
import { fromState, toDocument, toMetadata, toRange } from "./document.ts";
import type { NewDocument, Receipt } from "./push.ts";
import { pushRequests, toReceipt } from "./push.ts";
import type { UploadFile, UploadOptions } from "./upload.ts";
import { uploadFiles } from "./upload.ts";

export interface ListOptions extends CallOptions {
  /** 1 to 1,000. Default 100. */
  pageSize?: number;
  pageToken?: string;
  /** Default: all but "deleted". */
  states?: readonly DocumentState[];
  idPrefix?: string;
}

export interface WatchOptions extends CallOptions {
  /** At most 1,024. Default: all documents of the tenant. */
  ids?: readonly string[];
  /** The stream ends when each of `ids` is indexed, failed or deleted. */
  untilSettled?: boolean;
  /** No snapshot at the start, only what changes from now on. */
  changesOnly?: boolean;
}

export interface TextOptions extends CallOptions {
  /** Default: the newest that is indexed. */
  version?: number;
  /** Default: all, cut at 1,048,576 code units. */
  range?: TextRange;
}

/** A piece of extracted text. */
export interface DocumentText {
  readonly metadata: DocumentMetadata;
  readonly text: string;
  /** What was returned: the asked range, clamped to the text. */
  readonly range: TextRange;
  /** Length of the whole text in UTF-16 code units. */
  readonly textLength: number;
}

/** A piece of an original; the first carries the metadata. */
export interface OriginalPiece {
  readonly metadata: DocumentMetadata | undefined;
  readonly data: Uint8Array;
  /** Where the bytes can be read, without credentials, for some minutes; only where that was preferred. */
  readonly url: string | undefined;
}

export interface OriginalOptions extends CallOptions {
  /** An address in place of the bytes, where the blob store can be reached from outside. */
  preferUrl?: boolean;
}

export interface CreateUploadOptions extends CallOptions {
  /** Id of the document that will refer to the upload. */
  id: string;
  /** Which the upload must have. */
  sizeBytes: number;
}

export interface Documents {
  /**
   * Pushes documents and yields their receipts in the same order; a refused one does not end the push. Streams both
   * ways, so it needs HTTP/2: in browsers use `upload`.
   */
  push(
    documents: AsyncIterable<NewDocument> | Iterable<NewDocument>,
    options?: CallOptions,
  ): AsyncGenerator<Receipt, void, undefined>;
  /** Uploads files over HTTP, for browsers. */
  upload(files: Iterable<UploadFile>, options?: UploadOptions): Promise<Receipt[]>;
  /** Every change of state of the chosen documents, their present state first. */
  watch(options?: WatchOptions): AsyncGenerator<Document, void, undefined>;
  list(options?: ListOptions): Promise<{ documents: Document[]; nextPageToken: string }>;
  get(id: string, options?: CallOptions): Promise<Document>;
  text(id: string, options?: TextOptions): Promise<DocumentText>;
  /** The bytes as they were pushed. */
  original(id: string, options?: OriginalOptions): AsyncGenerator<OriginalPiece, void, undefined>;
  /** Prepares the upload of an original apart from its push, which then refers to it. */
  createUpload(options: CreateUploadOptions): Promise<CreatedUpload>;
  /** Sends the bytes of an upload that has no `url`. Streams, so it needs HTTP/2: in browsers PUT to the gateway's. */
  putUpload(token: string, content: AsyncIterable<Uint8Array>, options?: CallOptions): Promise<string>;
  /** Deletes a document; twice is harmless. */
  delete(id: string, options?: CallOptions): Promise<{ partition: number; offset: number }>;
}

export function createDocuments(
  ingest: Client<typeof IngestService>,
  tenantOf: (options: CallOptions) => string,
  upload: Parameters<typeof uploadFiles>[0],
): Documents {
  return {
    push: (documents, options = {}) =>
      stream(options, (call) => ingest.push(pushRequests(documents, tenantOf(options)), call), toReceipt),
    upload: (files, options = {}) => uploadFiles(upload, files, options),
    watch: (options = {}) =>
      stream(
        options,
        (call) =>
          ingest.watch(
            {
              tenant: tenantOf(options),
              ids: [...(options.ids ?? [])],
              untilSettled: options.untilSettled ?? false,
              changesOnly: options.changesOnly ?? false,
            },
            call,
          ),
        ({ document }) => toDocument(document),
      ),
    async list(options = {}) {
      const request = {
        tenant: tenantOf(options),
        pageSize: options.pageSize ?? 0,
        pageToken: options.pageToken ?? "",
        states: (options.states ?? []).map(fromState),
        idPrefix: options.idPrefix ?? "",
      };
      const { documents, nextPageToken } = await unary(
        ingest.listDocuments(request, connectOptions(options)),
      );
      return { documents: documents.map(toDocument), nextPageToken };
    },
    async get(id, options = {}) {
      const request = { tenant: tenantOf(options), id };
      const { document } = await unary(ingest.getDocument(request, connectOptions(options)));
      return toDocument(document);
    },
    async text(id, options = {}) {
      const request = {
        tenant: tenantOf(options),
        id,
        version: BigInt(options.version ?? 0),
        ...(options.range ? { range: { start: options.range.start, end: options.range.end } } : {}),
      };
      const { metadata, text, range, textLength } = await unary(
        ingest.getText(request, connectOptions(options)),
      );
      return { metadata: toMetadata(metadata), text, range: toRange(range), textLength };
    },
    original: (id, options = {}) =>
      stream(
        options,
        (call) =>
          ingest.getOriginal({ tenant: tenantOf(options), id, preferUrl: options.preferUrl ?? false }, call),
        ({ metadata, data, url }) => ({
          metadata: metadata && toMetadata(metadata),
          data,
          url: url || undefined,
        }),
      ),
    async createUpload({ id, sizeBytes, ...options }) {
      const request = { tenant: tenantOf(options), documentId: id, sizeBytes: BigInt(sizeBytes) };
      return toCreatedUpload(await unary(ingest.createUpload(request, connectOptions(options))));
    },
    putUpload: (token, content, options = {}) => putUpload(ingest, token, content, options),
    async delete(id, options = {}) {
      const request = { tenant: tenantOf(options), id };
      const { partition, offset } = await unary(ingest.deleteDocument(request, connectOptions(options)));
      return { partition, offset: Number(offset) };
    },
  };
}
