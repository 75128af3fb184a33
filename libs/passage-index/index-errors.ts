import { HeadwaterError, status } from "@headwater/errors";

const maxLimit = 1000;

/** @throws RangeError */
export function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit)
    throw new RangeError(`a limit is 1 to ${maxLimit}, not ${limit}`);
}

/** @throws HeadwaterError FAILED_PRECONDITION, HW_INDEX_DIMENSIONS_MISMATCH */
export function checkDimensions(vector: Float32Array, dimensions: number): void {
  if (vector.length === dimensions) return;
  throw new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: "HW_INDEX_DIMENSIONS_MISMATCH",
    message: `The vector has ${vector.length} dimensions, the index ${dimensions}.`,
    action: "Use the model that made the index, or run `headwater reindex`.",
  });
}

export function readOnlyError(): HeadwaterError {
  return new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: "HW_INDEX_READ_ONLY",
    message: "The passage index was opened for reading only.",
    action: "Write through ingest, which owns the index.",
  });
}
