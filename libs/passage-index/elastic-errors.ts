import { errors } from "@elastic/elasticsearch";
import type { HeadwaterErrorOptions } from "@headwater/errors";
import { HeadwaterError, status } from "@headwater/errors";

export const elasticUnavailable = {
  code: status.UNAVAILABLE,
  reason: "HW_ELASTICSEARCH_UNAVAILABLE",
  action:
    "Check that Elasticsearch runs, and HEADWATER_ELASTICSEARCH_URL; with https also HEADWATER_ELASTICSEARCH_CA_FILE.",
} as const satisfies Omit<HeadwaterErrorOptions, "message">;

interface ErrorWords {
  readonly type?: string | undefined;
  readonly reason?: string | null | undefined;
}

/** Gives what the client threw its meaning. */
export function toElasticError(thrown: unknown): HeadwaterError {
  if (thrown instanceof HeadwaterError) return thrown;
  if (thrown instanceof errors.ProductNotSupportedError)
    return new HeadwaterError({
      ...{ ...elasticUnavailable, message: "What answered is not Elasticsearch.", cause: thrown },
    });
  if (!(thrown instanceof errors.ResponseError) || thrown.statusCode === undefined)
    return new HeadwaterError({
      ...{
        ...elasticUnavailable,
        message: `Elasticsearch cannot be reached${wordsOf(thrown)}.`,
        cause: thrown,
      },
    });
  const body = thrown.body as { readonly error?: ErrorWords } | undefined;
  return errorOf(thrown.statusCode, body?.error);
}

/** The client keeps no code of what broke the connection, only words; without them nobody would think of a certificate. */
function wordsOf(thrown: unknown): string {
  return thrown instanceof errors.ConnectionError ? ` (${thrown.message})` : "";
}

/** @param error as Elasticsearch says it, also of one operation among many */
export function errorOf(http: number, error: ErrorWords | undefined): HeadwaterError {
  const type = error?.type ?? "";
  // The client's own error would take the whole request into the log, with the texts in it.
  const cause = new Error(`Elasticsearch answered ${http} ${type}: ${withoutQuotes(error?.reason ?? "")}`);
  if (type === "index_not_found_exception")
    // Not UNAVAILABLE: the server is well.
    return new HeadwaterError({
      ...{ code: status.ABORTED, reason: "HW_INDEX_GENERATION_GONE", cause },
      message: "This generation of the index is not there any more.",
      action: "It may have been dropped by a reindex: ask for the generation that serves now.",
    });
  if (http === 401 || http === 403)
    // Not the document's fault: work waits until somebody mends it.
    return new HeadwaterError({
      ...{ ...elasticUnavailable, message: `Elasticsearch does not allow this (${type || http}).`, cause },
      action:
        "Check the user or key in HEADWATER_ELASTICSEARCH_…, its rights, and whether the index is read-only.",
    });
  if (http === 429)
    return new HeadwaterError({
      ...{ code: status.RESOURCE_EXHAUSTED, reason: "HW_ELASTICSEARCH_OVERLOADED", cause },
      message: "Elasticsearch takes no more for now.",
      action: "Work goes on by itself; check its load and its disk.",
      retryAfterMs: 1000,
    });
  if (http === 408 || http >= 500)
    return new HeadwaterError({
      ...{ ...elasticUnavailable, message: `Elasticsearch answered ${http} (${type}).`, cause },
    });
  return new HeadwaterError({
    ...{ code: status.INVALID_ARGUMENT, reason: "HW_ELASTICSEARCH_REFUSED", cause },
    message: `Elasticsearch refused it with ${http} (${type}).`,
    action: "It is not tried again as it is; the cause, in the log, tells more.",
  });
}

/** Elasticsearch quotes the values that it does not like, which are parts of documents. */
function withoutQuotes(reason: string): string {
  return reason.replace(/'[^']{20,}'|"[^"]{20,}"|\[[^\]]{40,}\]/g, "…").slice(0, 500);
}
