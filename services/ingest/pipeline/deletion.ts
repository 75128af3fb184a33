import type { LogRecord } from "@headwater/document-log";
import { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import type { ServedDocument } from "../catalog/document-record.ts";
import type { Outcome } from "../metrics.ts";
import type { DocumentDeletion } from "./document-change.ts";
import type { DocumentJob } from "./document-job.ts";
import type { PutParts } from "./put-steps.ts";
import { blobsOf } from "./put-steps.ts";
import { settleWritten } from "./settle.ts";

/**
 * Removes a document from the indexes, then says so in the catalog, whose row stays with the version that was
 * deleted: an event of that version or an older one that comes late does not bring the document back.
 */
export async function applyDeletion(
  parts: PutParts,
  job: DocumentJob,
  deletion: DocumentDeletion,
): Promise<Outcome> {
  const { tenant, documentId } = deletion;
  const { known } = job;
  if (known?.served && isBefore(job.record, known.served)) {
    parts.catalog.confirm(known.status);
    return "stale";
  }
  // Also where nothing is known: a crash may have left passages that the catalog has not heard of.
  await parts.stages.run("index", job, () => parts.writer.remove({ tenant, documentId }, job.signal));
  if (!known || known.settledVersion === 0) return "deleted";
  const settlement = {
    status: {
      ...known.status,
      version: known.settledVersion,
      state: DocumentState.DELETED,
      failure: null,
      ...{ passages: 0, textLength: 0, updatedAt: Date.now() },
    },
    served: null,
    unusedBlobs: blobsOf(known),
  };
  await settleWritten(parts, job, settlement);
  return "deleted";
}

/**
 * A tombstone has no version, so it is told by its place that it is delivered again, and that what is served came after
 * it. The time is for a log that was made anew, whose offsets begin at 0: its tombstones count.
 */
function isBefore(record: LogRecord, { event }: ServedDocument): boolean {
  return (
    event !== undefined &&
    record.partition === event.partition &&
    record.offset < event.offset &&
    record.timestamp <= event.timestamp
  );
}
