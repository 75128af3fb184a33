import type { DeadLetter as LogDeadLetter } from "@headwater/document-log";
import { parseRecordKey } from "@headwater/document-log";
import type { DocumentMetadata } from "@headwater/proto/services/headwater/v1/common";
import type { DeadLetter, Document } from "@headwater/proto/services/headwater/v1/ingest";
import type { DocumentDescription, DocumentStatus } from "../catalog/document-record.ts";
import { readDocumentChange } from "../pipeline/document-change.ts";

export function metadataOf(id: string, version: number, description: DocumentDescription): DocumentMetadata {
  const { title, uri, mediaType, attributes, observedAt } = description;
  return {
    id,
    version,
    title,
    uri,
    mediaType,
    attributes: { ...attributes },
    observedTime: new Date(observedAt),
  };
}

export function documentOf(status: DocumentStatus): Document {
  const { state, sizeBytes, passages, textLength, contentSha256 } = status;
  return {
    metadata: metadataOf(status.documentId, status.version, status),
    ...{ state, sizeBytes, passages, textLength, contentSha256 },
    failure: status.failure ?? undefined,
    updatedTime: new Date(status.updatedAt),
  };
}

export function deadLetterOf(letter: LogDeadLetter): DeadLetter {
  const { id, record, stage, reason, message, attempts } = letter;
  const { partition, offset } = record;
  return {
    ...{ id, partition, offset },
    documentId: parseRecordKey(record.key)?.documentId ?? record.key,
    version: versionOf(letter),
    failure: { stage, reason, message, attempts },
    failedTime: new Date(letter.failedAt),
  };
}

/** 0 where the event could not be read, which may be why it is here. */
function versionOf({ record }: LogDeadLetter): number {
  try {
    const change = readDocumentChange(record);
    return change.kind === "put" ? change.version : 0;
  } catch {
    return 0;
  }
}
