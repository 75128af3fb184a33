import type { BlobStore } from "@headwater/blob-store";
import type { DeadLetter, DocumentLog } from "@headwater/document-log";
import { HeadwaterError, status } from "@headwater/errors";
import type {
  DeepPartial,
  GetDeadLetterRequest,
  GetDeadLetterResponse,
} from "@headwater/proto/services/headwater/v1/ingest";
import { checkTenant } from "@headwater/rpc";
import type { DocumentPut } from "../pipeline/document-change.ts";
import { readDocumentChange } from "../pipeline/document-change.ts";
import { deadLetterOf, metadataOf } from "./to-proto.ts";

/** Letters in memory at one time while one is looked for; each holds its event, of a MiB at most. */
const pageSize = 20;
/** Bytes of an original that one response carries. */
const maxContentBytes = 1024 * 1024;

/** @throws HeadwaterError NOT_FOUND where there is no such letter, or no more */
export async function getDeadLetter(
  { log, blobs }: { readonly log: DocumentLog; readonly blobs: BlobStore },
  request: GetDeadLetterRequest,
): Promise<DeepPartial<GetDeadLetterResponse>> {
  const letter = await find(log, checkTenant(request.tenant), request.id);
  const { record } = letter;
  const put = readPut(letter);
  const bytes = inlineBytes(letter, put);
  const content = put?.content;
  const blob = content?.$case === "blob" ? content.value : undefined;
  const sizeBytes = blob === undefined ? bytes.length : ((await blobs.size(blob)) ?? 0);
  const shown = blob === undefined ? bytes.subarray(0, maxContentBytes) : undefined;
  return {
    deadLetter: deadLetterOf(letter),
    ...(put
      ? {
          metadata: metadataOf(put.documentId, put.version, {
            ...put,
            observedAt: put.observedAt ?? record.timestamp,
          }),
        }
      : {}),
    headers: { ...record.headers },
    appendedTime: new Date(record.timestamp),
    sizeBytes,
    ...(request.withContent ? { content: shown ?? (await readStart(blobs, blob ?? "")) } : {}),
  };
}

/** By paging, newest first: letters are few, and those that people ask for are among the newest. */
async function find(log: DocumentLog, tenant: string, id: string): Promise<DeadLetter> {
  let after: string | undefined;
  do {
    const page = await log.listDeadLetters({ tenant, limit: pageSize, ...(after ? { after } : {}) });
    const found = page.deadLetters.find((letter) => letter.id === id);
    if (found) return found;
    after = page.next;
  } while (after !== undefined);
  throw new HeadwaterError({
    ...{ code: status.NOT_FOUND, reason: "HW_DEAD_LETTER_NOT_FOUND" },
    message: "There is no dead letter of this id.",
    action: "It may have been replayed; `headwater dead-letters list` shows those that there are.",
  });
}

/** Undefined for a deletion, and for what cannot be read, which may be why it is a dead letter. */
function readPut({ record }: DeadLetter): DocumentPut | undefined {
  try {
    const change = readDocumentChange(record);
    return change.kind === "put" ? change : undefined;
  } catch {
    return undefined;
  }
}

function inlineBytes({ record }: DeadLetter, put: DocumentPut | undefined): Uint8Array {
  if (put) return put.content.$case === "inline" ? put.content.value : new Uint8Array();
  return record.value ?? new Uint8Array();
}

async function readStart(blobs: BlobStore, key: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of (await blobs.get(key)) ?? []) {
    pieces.push(piece);
    length += piece.length;
    if (length >= maxContentBytes) break;
  }
  return Buffer.concat(pieces).subarray(0, maxContentBytes);
}
