import type { BlobStore } from "@headwater/blob-store";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import type {
  DeepPartial,
  GetTextRequest,
  GetTextResponse,
} from "@headwater/proto/services/headwater/v1/ingest";
import { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import { checkTenant } from "@headwater/rpc";
import { clampToGraphemes } from "@headwater/text";
import type { Catalog } from "../catalog/catalog.ts";
import type { DocumentRecord, ServedDocument } from "../catalog/document-record.ts";
import { readBlob } from "../pipeline/document-content.ts";
import { checkDocumentId } from "./document-rules.ts";
import { metadataOf } from "./to-proto.ts";

/** UTF-16 code units in one response; three bytes each fit into a message. */
const maxLength = 1_048_576;

/** @throws HeadwaterError NOT_FOUND where there is no such document, or not in this version any more */
export async function getText(
  catalog: Catalog,
  blobs: BlobStore,
  request: GetTextRequest,
): Promise<DeepPartial<GetTextResponse>> {
  const key = { tenant: checkTenant(request.tenant), documentId: checkDocumentId(request.id) };
  const { range } = request;
  if (range && range.end < range.start)
    throw invalidArgument("HW_RANGE_INVALID", "The end of the range lies before its start.");
  const [record] = await catalog.read([key]);
  const served = servedVersion(record, request.version);
  const bytes = served && (await readBlob(blobs, served.textKey));
  if (!served || !bytes) throw textNotFound();
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const start = range?.start ?? 0;
  const clamped = clampToGraphemes(text, start, Math.min(range?.end ?? text.length, start + maxLength));
  return {
    metadata: metadataOf(request.id, request.version || served.version, served),
    text: text.slice(clamped.start, clamped.end),
    range: clamped,
    textLength: text.length,
  };
}

/** A version that changed nothing is served by the passages and the text of the one before. */
function servedVersion(record: DocumentRecord | undefined, version: number): ServedDocument | undefined {
  const served = record?.served ?? undefined;
  if (!record || !served) return undefined;
  const isCurrent = version === record.status.version && record.status.state === DocumentState.INDEXED;
  return version === 0 || version === served.version || isCurrent ? served : undefined;
}

function textNotFound(): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.NOT_FOUND, reason: "HW_TEXT_NOT_FOUND" },
    message: "There is no text of this document in this version.",
    action: "Ask for version 0, the newest that is indexed; GetDocument tells how far the document has come.",
  });
}
