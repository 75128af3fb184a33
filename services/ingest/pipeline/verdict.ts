import { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import type { DocumentRecord } from "../catalog/document-record.ts";
import type { DocumentPut } from "./document-change.ts";

/**
 * What is to be done with a new version of a document.
 * - `stale`: a newer one was settled before, or this one was and is gone; nothing to do.
 * - `redelivered`: this very version is indexed; nothing to do.
 * - `unchanged`: the same content and description as what is indexed; only the version is new.
 * - `process`: its passages have to be made.
 */
export type Verdict = "stale" | "redelivered" | "unchanged" | "process";

export function judge(put: DocumentPut, known: DocumentRecord | undefined, fingerprint: string): Verdict {
  if (!known) return "process";
  const { settledVersion, served } = known;
  // Made from what is served: once that has changed, the reindex of this document is no longer needed.
  if (put.reindex) return served?.version === put.version ? "process" : "stale";
  if (put.version < settledVersion) return "stale";
  // Deleted at this version: a copy that comes late must not bring it back.
  if (put.version === settledVersion && !served && known.status.state === DocumentState.DELETED)
    return "stale";
  if (!served || !isServed(put, served, fingerprint)) return "process";
  const { status } = known;
  return put.version === status.version && status.state === DocumentState.INDEXED
    ? "redelivered"
    : "unchanged";
}

function isServed(
  put: DocumentPut,
  served: NonNullable<DocumentRecord["served"]>,
  fingerprint: string,
): boolean {
  return (
    put.contentSha256 !== "" &&
    put.contentSha256 === served.contentSha256 &&
    put.descriptionHash === served.descriptionHash &&
    fingerprint === served.fingerprint &&
    // A producer who does not say when it saw the document has no objection to what is known.
    (put.observedAt === undefined || put.observedAt === served.observedAt)
  );
}
