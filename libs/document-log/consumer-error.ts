import { HeadwaterError, status } from "@headwater/errors";

export function consumerClosed(): HeadwaterError {
  return new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: "HW_LOG_CLOSED",
    message: "The consumer has been closed.",
  });
}

/** @throws AbortError, whatever reason the caller gave */
export function refuseWhenAborted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  const error = new Error("Receiving was aborted.", { cause: signal.reason });
  error.name = "AbortError";
  throw error;
}
