import { errors } from "@elastic/elasticsearch";
import type { HeadwaterErrorOptions } from "@headwater/errors";
import { HeadwaterError, status } from "@headwater/errors";

export const elasticUnavailable = {
  code: status.UNAVAILABLE,
  reason: "HW_ELASTICSEARCH_UNAVAILABLE",
  action: "Check that Elasticsearch runs, and HEADWATER_ELASTICSEARCH_URL.",
} as const satisfies Omit<HeadwaterErrorOptions, "message">;

/** Gives what the client threw its meaning. Elasticsearch's own words stay in the cause: they may quote a document. */
export function toElasticError(thrown: unknown): HeadwaterError {
  if (thrown instanceof HeadwaterError) return thrown;
  if (thrown instanceof errors.ProductNotSupportedError)
    return new HeadwaterError({
      ...{ ...elasticUnavailable, message: "What answered is not Elasticsearch.", cause: thrown },
    });
  if (!(thrown instanceof errors.ResponseError) || thrown.statusCode === undefined)
    return new HeadwaterError({
      ...{ ...elasticUnavailable, message: "Elasticsearch cannot be reached.", cause: thrown },
    });
  const body = thrown.body as { readonly error?: { readonly type?: string } } | undefined;
  return errorOf(thrown.statusCode, body?.error?.type ?? "", thrown);
}

/** @param type Elasticsearch's name of the error: "mapper_parsing_exception" */
export function errorOf(http: number, type: string, cause: unknown): HeadwaterError {
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
