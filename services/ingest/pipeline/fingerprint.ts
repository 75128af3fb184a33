import { HeadwaterError, status } from "@headwater/errors";
import type { IndexFingerprint } from "@headwater/passage-index";

/** Of model and chunking together; equal ones give equal passages and vectors. */
export function fingerprintText({ model, chunking }: IndexFingerprint): string {
  return `${model}+${chunking}`;
}

export function isSameFingerprint(one: IndexFingerprint, other: IndexFingerprint): boolean {
  return one.model === other.model && one.chunking === other.chunking;
}

/** @param index what the index was made with @param now what passages would be made with */
export function fingerprintMismatch(index: IndexFingerprint, now: IndexFingerprint): HeadwaterError {
  const differs = [
    ...(index.model === now.model ? [] : ["the model"]),
    ...(index.chunking === now.chunking ? [] : ["the chunking"]),
  ];
  return new HeadwaterError({
    ...{ code: status.FAILED_PRECONDITION, reason: "HW_INDEX_FINGERPRINT_MISMATCH" },
    message: `The indexes were made with other settings: ${differs.join(" and ")} changed.`,
    action: "Run `headwater reindex`, or restore the settings; new documents wait in the log meanwhile.",
  });
}
