import type { HeadwaterErrorOptions } from "@headwater/errors";
import { HeadwaterError, isTlsFault, status } from "@headwater/errors";
import { QdrantClientResourceExhaustedError } from "@qdrant/js-client-rest";

export const qdrantUnavailable = {
  code: status.UNAVAILABLE,
  reason: "HW_QDRANT_UNAVAILABLE",
  action: "Check that Qdrant runs, and HEADWATER_QDRANT_URL.",
} as const satisfies Omit<HeadwaterErrorOptions, "message">;

/** Gives what the client threw its meaning. Qdrant's own words stay in the cause: they may quote what was sent. */
export function toQdrantError(thrown: unknown): HeadwaterError {
  if (thrown instanceof HeadwaterError) return thrown;
  if (thrown instanceof QdrantClientResourceExhaustedError)
    // The client reads the first digit of the header only, so this is when to try again at the earliest.
    return overloaded(thrown, thrown.retry_after * 1000);
  if (isTlsFault(thrown))
    return new HeadwaterError({
      ...{ code: status.UNAVAILABLE, reason: "HW_QDRANT_TLS_FAILED", cause: thrown },
      message: "TLS with Qdrant could not be set up.",
      action: "Check its certificate, HEADWATER_QDRANT_URL and HEADWATER_QDRANT_CA_FILE.",
    });
  const http = httpStatusOf(thrown);
  if (http === undefined)
    return new HeadwaterError({ ...qdrantUnavailable, message: "Qdrant cannot be reached.", cause: thrown });
  const cause = new Error(`Qdrant answered ${http}: ${wordsOf(thrown)}`, { cause: thrown });
  switch (http) {
    case 401:
    case 403:
      // Not the document's fault: work waits until somebody mends the key.
      return new HeadwaterError({
        ...{ ...qdrantUnavailable, message: "Qdrant refuses the API key.", cause },
        action: "Check HEADWATER_QDRANT_API_KEY; it needs the right to read and write.",
      });
    case 404:
      return new HeadwaterError({
        ...{ code: status.NOT_FOUND, reason: "HW_QDRANT_NOT_FOUND", cause },
        message: "The collection is not there in Qdrant.",
        action: "It may have been dropped by a reindex: ask for the generation that serves now.",
      });
    case 409:
      return new HeadwaterError({
        ...{ code: status.ALREADY_EXISTS, reason: "HW_QDRANT_EXISTS", cause },
        message: "The collection is there in Qdrant already.",
      });
    case 429:
      return overloaded(cause);
    default:
      if (http === 408 || http >= 500)
        return new HeadwaterError({ ...qdrantUnavailable, message: `Qdrant answered ${http}.`, cause });
      return new HeadwaterError({
        ...{ code: status.INVALID_ARGUMENT, reason: "HW_QDRANT_REQUEST_REFUSED", cause },
        message: `Qdrant refused the request with ${http}.`,
        action: "Check that Qdrant is of version 1.18 or newer; its log tells more.",
      });
  }
}

function overloaded(cause: Error, retryAfterMs = 1000): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.RESOURCE_EXHAUSTED, reason: "HW_QDRANT_OVERLOADED", retryAfterMs, cause },
    message: "Qdrant takes no more requests for now.",
    action: "Try again later, or raise Qdrant's rate limits.",
  });
}

/** The client's ApiError, which it does not export. */
function httpStatusOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !("status" in thrown)) return undefined;
  return typeof thrown.status === "number" ? thrown.status : undefined;
}

function wordsOf(thrown: unknown): string {
  const { data } = thrown as { readonly data?: { readonly status?: { readonly error?: string } } };
  return data?.status?.error?.slice(0, 500) ?? "nothing more";
}
