import type { Outcome } from "../metrics.ts";
import type { DocumentSweep } from "./document-change.ts";
import type { DocumentJob } from "./document-job.ts";
import type { PutParts } from "./put-steps.ts";

/** Removes what the indexes hold of a document that the catalog does not serve. */
export async function applySweep(parts: PutParts, job: DocumentJob, sweep: DocumentSweep): Promise<Outcome> {
  if (job.known?.served) return "unchanged";
  const { tenant, documentId } = sweep;
  await parts.stages.run("index", job, () => parts.writer.remove({ tenant, documentId }, job.signal));
  return "deleted";
}
