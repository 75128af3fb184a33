import { computed } from "@preact/signals";
import { isSettled } from "./document-row.ts";
import { rowChanges, rowSignal } from "./documents.ts";
import { uploadBatch } from "./uploads.ts";

export interface UploadProgress {
  readonly total: number;
  readonly indexed: number;
  readonly failed: number;
  /** Unix milliseconds. */
  readonly started: number;
  readonly done: boolean;
}

/** How far the files have come that were added last. */
export const uploadProgress = computed<UploadProgress | undefined>(() => {
  const batch = uploadBatch.value;
  // Subscribing to one counter is far cheaper than to each of thousands of rows.
  rowChanges.value;
  if (!batch) return undefined;
  let [total, indexed, failed] = [0, 0, 0];
  for (const id of batch.ids) {
    const state = rowSignal(id)?.peek().state;
    if (state === undefined) continue;
    total += 1;
    if (state === "indexed") indexed += 1;
    else if (isSettled(state)) failed += 1;
  }
  return { total, indexed, failed, started: batch.started, done: indexed + failed === total };
});
