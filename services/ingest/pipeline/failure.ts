import type { DocumentLog } from "@headwater/document-log";
import { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import { originalKey, textKey } from "../documents/blob-keys.ts";
import type { DocumentChange, DocumentPut } from "./document-change.ts";
import type { DocumentJob, PoisonError } from "./document-job.ts";
import type { PutParts } from "./put-steps.ts";
import { blobsOf, statusOf } from "./put-steps.ts";

/**
 * Gives an event up: a dead letter first, so that nothing is lost, then the catalog. A version that was indexed before
 * goes on serving.
 *
 * @param change undefined where the event could not even be read
 */
export async function applyFailure(
  parts: PutParts,
  log: DocumentLog,
  job: DocumentJob,
  change: DocumentChange | undefined,
  poison: PoisonError,
): Promise<void> {
  const { signal, record, known } = job;
  const { failure, stage } = poison;
  await parts.trouble.patiently("log", signal, () => log.addDeadLetter(record, failure));
  parts.metrics.deadLetters.inc({ stage, reason: failure.reason });
  if (change?.kind !== "put") return;
  await dropBlobs(parts, job, change);
  const size = change.content.$case === "inline" ? change.content.value.length : 0;
  const status = { ...statusOf(change, job, size), state: DocumentState.FAILED, failure };
  const settlement = { status, served: known?.served ?? null, unusedBlobs: [] };
  await parts.trouble.patiently("catalog", signal, () => parts.catalog.settle(settlement));
}

/**
 * At once rather than by way of the catalog: a replay of the dead letter may write the same keys again. An upload
 * stays, for the dead letter refers to it.
 */
async function dropBlobs(parts: PutParts, job: DocumentJob, put: DocumentPut): Promise<void> {
  const inUse = blobsOf(job.known);
  const written = [textKey(put, put.version), originalKey(put, put.version, put.contentSha256)];
  for (const key of written.filter((candidate) => !inUse.includes(candidate)))
    await parts.trouble.patiently("blobs", job.signal, () => parts.blobs.delete(key));
}
