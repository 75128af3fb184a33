import { setTimeout as delay } from "node:timers/promises";
import type { Settlement } from "../catalog/catalog.ts";
import type { DocumentJob } from "./document-job.ts";
import type { PutParts } from "./put-steps.ts";

/** Milliseconds between two tries while the generations are being switched. */
const retryMs = 200;

/**
 * Settles what was written into the indexes. While a reindex switches to another generation it waits; once that one
 * serves, what this pipeline has written counts for nothing, the supervisor calls its work off, and the event is
 * delivered to a pipeline of the new generation.
 */
export async function settleWritten(
  { trouble, catalog, generation }: PutParts,
  { signal }: DocumentJob,
  settlement: Settlement,
): Promise<void> {
  signal.throwIfAborted();
  while (!(await trouble.patiently("catalog", signal, () => catalog.settle({ ...settlement, generation })))) {
    await delay(retryMs, undefined, { signal });
  }
}
