import type { BlobStore } from "@headwater/blob-store";
import { HeadwaterError, status } from "@headwater/errors";
import type { DeepPartial, GetOriginalResponse } from "@headwater/proto/services/headwater/v1/ingest";
import type { ServedDocument } from "../catalog/document-record.ts";
import { metadataOf } from "./to-proto.ts";

/** Seconds for which an address of an original is good: a click, not a bookmark. */
const expiresInSeconds = 300;
const unknownMediaType = "application/octet-stream";

/**
 * The original of what is served, or where it can be had.
 *
 * @param served null: nothing of the document is in the indexes
 * @throws HeadwaterError NOT_FOUND
 */
export async function* getOriginal(
  blobs: BlobStore,
  id: string,
  served: ServedDocument | null,
  preferUrl: boolean,
): AsyncGenerator<DeepPartial<GetOriginalResponse>> {
  if (!served) throw originalNotFound();
  const metadata = metadataOf(id, served.version, served);
  const given = preferUrl && {
    ...{ expiresInSeconds, mediaType: served.mediaType || unknownMediaType },
    fileName: (id.split("/").at(-1) || "document").slice(-200).toWellFormed(),
  };
  const presigned = given ? await blobs.presignGet(served.originalKey, given) : undefined;
  if (presigned) {
    yield { metadata, url: presigned.url, expiresTime: presigned.expires };
    return;
  }
  const pieces = await blobs.get(served.originalKey);
  if (!pieces) throw originalNotFound();
  let isFirst = true;
  for await (const data of pieces) {
    yield isFirst ? { metadata, data } : { data };
    isFirst = false;
  }
  if (isFirst) yield { metadata };
}

function originalNotFound(): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.NOT_FOUND, reason: "HW_ORIGINAL_NOT_FOUND" },
    message: "There is no original of this document: no version of it is indexed.",
    action: "GetDocument tells how far the document has come.",
  });
}
