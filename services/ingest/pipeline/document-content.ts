import type { BlobStore } from "@headwater/blob-store";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import type { DocumentPut } from "./document-change.ts";
import { sha256 } from "./document-change.ts";

/** An original in memory. */
export interface DocumentContent {
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/**
 * Bytes that a document takes in memory before it is read.
 *
 * @throws HeadwaterError where the original is gone or too large
 */
export async function measureContent(put: DocumentPut, blobs: BlobStore, maxBytes: number): Promise<number> {
  if (put.content.$case === "inline") return put.content.value.length;
  const size = await blobs.size(put.content.value);
  if (size === undefined) throw originalMissing();
  if (size > maxBytes)
    throw invalidArgument("HW_DOCUMENT_TOO_LARGE", `The original has ${size} bytes, above ${maxBytes}.`);
  return size;
}

/** @throws HeadwaterError where the original is gone, or is not what the event says it is */
export async function loadContent(put: DocumentPut, blobs: BlobStore): Promise<DocumentContent> {
  if (put.content.$case === "inline") return { bytes: put.content.value, sha256: put.contentSha256 };
  const bytes = await readBlob(blobs, put.content.value);
  if (!bytes) throw originalMissing();
  const actual = sha256(bytes);
  if (put.contentSha256 !== "" && put.contentSha256 !== actual) {
    throw new HeadwaterError({
      ...{ code: status.DATA_LOSS, reason: "HW_ORIGINAL_DIFFERS" },
      message: "The original in the blob store is not the one that the event describes.",
      action: "Push the document again.",
    });
  }
  return { bytes, sha256: actual };
}

export async function readBlob(blobs: BlobStore, key: string): Promise<Uint8Array | undefined> {
  const pieces = await blobs.get(key);
  if (!pieces) return undefined;
  const held: Uint8Array[] = [];
  for await (const piece of pieces) held.push(piece);
  return Buffer.concat(held);
}

function originalMissing(): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.NOT_FOUND, reason: "HW_ORIGINAL_MISSING" },
    message: "The original is not in the blob store.",
    action: "Push the document again.",
  });
}
