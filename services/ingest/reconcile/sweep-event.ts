import type { NewLogRecord } from "@headwater/document-log";
import { recordKey } from "@headwater/document-log";
import type { DocumentKey } from "@headwater/passage-index";
import { sweepHeader } from "../pipeline/document-change.ts";

/**
 * An event that removes the passages of a document which the catalog does not serve. By way of the log, because a
 * document that is just being indexed looks the same: behind its own event it is known, and stays.
 */
export function sweepEvent({ tenant, documentId }: DocumentKey): NewLogRecord {
  return { key: recordKey(tenant, documentId), value: null, headers: { [sweepHeader]: "1" } };
}
