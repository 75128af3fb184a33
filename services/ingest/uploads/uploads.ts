import { randomUUID } from "node:crypto";
import type { BlobStore } from "@headwater/blob-store";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import type { DocumentKey } from "@headwater/passage-index";
import type {
  CreateUploadRequest,
  CreateUploadResponse,
  PutUploadRequest,
} from "@headwater/proto/services/headwater/v1/ingest";
import { checkTenant } from "@headwater/rpc";
import { mayOwn, uploadKey, uploadStartedAt } from "../documents/blob-keys.ts";
import { checkDocumentId } from "../documents/document-rules.ts";
import type { CollectedContent } from "../push/content-collector.ts";
import type { UploadTokens } from "./upload-token.ts";

/** Seconds in which the bytes may come. */
const expiresInSeconds = 900;
/** Milliseconds after which no document may refer to an upload any more; UploadSweeper waits longer. */
const claimMs = 3_600_000;

/** Originals that come apart from their push, and before it. */
export class Uploads {
  readonly #blobs: BlobStore;
  readonly #maxBytes: number;
  readonly #tokens: UploadTokens;

  constructor(blobs: BlobStore, tokens: UploadTokens, maxDocumentBytes: number) {
    this.#blobs = blobs;
    this.#tokens = tokens;
    this.#maxBytes = maxDocumentBytes;
  }

  /** @throws HeadwaterError INVALID_ARGUMENT */
  async create(request: CreateUploadRequest): Promise<CreateUploadResponse> {
    const document = { tenant: checkTenant(request.tenant), documentId: checkDocumentId(request.documentId) };
    const { sizeBytes } = request;
    if (sizeBytes < 1)
      throw invalidArgument("HW_UPLOAD_EMPTY", "An upload has 1 byte or more.", "Say its size.");
    this.#checkSize(sizeBytes);
    const upload = uploadKey(document, Date.now(), randomUUID());
    const presigned = request.withoutUrl
      ? undefined
      : await this.#blobs.presignPut(upload, { sizeBytes, expiresInSeconds });
    if (presigned) {
      const { url, headers, expires } = presigned;
      return { upload, url, headers: { ...headers }, expiresTime: expires, token: "" };
    }
    const expiresAt = Date.now() + expiresInSeconds * 1000;
    const token = this.#tokens.sign({ upload, sizeBytes, expiresAt });
    return { upload, url: "", headers: {}, expiresTime: new Date(expiresAt), token };
  }

  /**
   * Takes the bytes of an upload that has no address of its own.
   *
   * @throws HeadwaterError INVALID_ARGUMENT where it was not granted so; ALREADY_EXISTS where the bytes are there
   */
  async put(requests: AsyncIterable<PutUploadRequest>): Promise<{ upload: string }> {
    const messages = requests[Symbol.asyncIterator]();
    const first = await messages.next();
    const { upload, sizeBytes } = this.#tokens.read(first.done ? "" : first.value.token);
    if ((await this.#blobs.size(upload)) !== undefined) throw uploadTaken();
    await this.#blobs.put(upload, exactly(sizeBytes, dataOf(first, messages)));
    return { upload };
  }

  /**
   * The content of a document that refers to an upload.
   *
   * @throws HeadwaterError INVALID_ARGUMENT where the upload is not its own, has expired or is not there
   */
  async claim(document: DocumentKey, upload: string): Promise<CollectedContent> {
    const startedAt = uploadStartedAt(upload);
    if (startedAt === undefined || !mayOwn(document, upload)) {
      throw invalidArgument(
        "HW_UPLOAD_FORBIDDEN",
        "The upload does not belong to this document.",
        "Create one for its id.",
      );
    }
    if (startedAt < Date.now() - claimMs)
      throw invalidArgument("HW_UPLOAD_EXPIRED", "The upload is older than an hour.", "Create it again.");
    const sizeBytes = await this.#blobs.size(upload);
    if (sizeBytes === undefined)
      throw invalidArgument(
        "HW_UPLOAD_MISSING",
        "The bytes of the upload are not there.",
        "Send them first.",
      );
    this.#checkSize(sizeBytes);
    return { content: { $case: "blob", value: upload }, sizeBytes, sha256: "" };
  }

  #checkSize(sizeBytes: number): void {
    if (sizeBytes <= this.#maxBytes) return;
    throw invalidArgument(
      "HW_DOCUMENT_TOO_LARGE",
      `The document is larger than ${this.#maxBytes} bytes.`,
      "Split it, or raise HEADWATER_INGEST_MAX_DOCUMENT_BYTES.",
    );
  }
}

async function* dataOf(
  first: IteratorResult<PutUploadRequest>,
  rest: AsyncIterator<PutUploadRequest>,
): AsyncGenerator<Uint8Array> {
  for (let step = first; !step.done; step = await rest.next())
    if (step.value.data.length > 0) yield step.value.data;
}

/** Passes bytes on as long as there are not more of them than announced, and fails where there are fewer. */
async function* exactly(sizeBytes: number, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > sizeBytes) break;
    yield piece;
  }
  if (bytes === sizeBytes) return;
  throw invalidArgument(
    "HW_UPLOAD_SIZE_WRONG",
    `The upload was announced with ${sizeBytes} bytes and has ${bytes > sizeBytes ? "more" : bytes}.`,
    "Create it with its size in bytes.",
  );
}

function uploadTaken(): HeadwaterError {
  return new HeadwaterError({
    code: status.ALREADY_EXISTS,
    reason: "HW_UPLOAD_TAKEN",
    message: "The bytes of this upload are there already.",
    action: "Push the document that refers to it, or create another.",
  });
}
