import { codeOf, HeadwaterError, status } from "@headwater/errors";
import type { ClientMiddleware } from "nice-grpc-common";
import { ClientError, ServerError } from "nice-grpc-common";
import { ErrorInfo, RetryInfo, RichClientError, RichServerError } from "nice-grpc-error-details";

/** `google.rpc.ErrorInfo.domain` of every error that Headwater raises. */
const errorDomain = "headwater.dev";

/** The one place where an error becomes a gRPC status; reason, action and retry hint travel as google.rpc details. */
export function toServerError(thrown: unknown): ServerError {
  if (thrown instanceof ServerError) return thrown;
  const error = HeadwaterError.from(thrown);
  const info = ErrorInfo.fromPartial({
    reason: error.reason,
    domain: errorDomain,
    metadata: error.action ? { action: error.action } : {},
  });
  const retry =
    error.retryAfterMs === undefined
      ? []
      : [
          RetryInfo.fromPartial({
            retryDelay: {
              seconds: Math.floor(error.retryAfterMs / 1000),
              nanos: Math.round((error.retryAfterMs % 1000) * 1e6),
            },
          }),
        ];
  return new RichServerError(error.code, error.message, [info, ...retry]);
}

/** The way back: a failed call as the HeadwaterError that the other side threw. */
export function fromClientError(thrown: unknown): HeadwaterError {
  if (!(thrown instanceof ClientError)) return HeadwaterError.from(thrown);
  const details = thrown instanceof RichClientError ? thrown.extra : [];
  let reason: `HW_${string}` | undefined;
  let action = "";
  let retryAfterMs: number | undefined;
  for (const detail of details) {
    if (detail.$type === ErrorInfo.$type && detail.reason.startsWith("HW_")) {
      reason = detail.reason as `HW_${string}`;
      action = detail.metadata["action"] ?? "";
    } else if (detail.$type === RetryInfo.$type && detail.retryDelay) {
      retryAfterMs = Number(detail.retryDelay.seconds) * 1000 + detail.retryDelay.nanos / 1e6;
    }
  }
  // Whoever leaves gets an AbortError: this connection was cut, which HTTP/2 words as if its caller had left.
  if (reason === undefined && thrown.code === status.CANCELLED) return connectionLost(thrown);
  const code = codeOf(thrown.code);
  return new HeadwaterError({
    code,
    reason: reason ?? reasonOf(code),
    message: thrown.details,
    action,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    cause: thrown,
  });
}

function connectionLost(cause: ClientError): HeadwaterError {
  return new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_SERVICE_UNAVAILABLE",
    message: "The connection was lost before the call had ended.",
    action: "Try again. What the call was to write may have been written.",
    cause,
  });
}

/** For a status that gRPC itself raised, such as a lost connection. */
function reasonOf(code: number): `HW_${string}` {
  switch (code) {
    case status.DEADLINE_EXCEEDED:
      return "HW_DEADLINE_EXCEEDED";
    case status.UNAVAILABLE:
      return "HW_SERVICE_UNAVAILABLE";
    case status.RESOURCE_EXHAUSTED:
      return "HW_MESSAGE_TOO_LARGE";
    case status.UNIMPLEMENTED:
      return "HW_METHOD_UNKNOWN";
    default:
      return "HW_CALL_FAILED";
  }
}

/** Makes failed calls throw HeadwaterError. An abort of one's own stays an AbortError. */
export const errorClientMiddleware: ClientMiddleware = async function* errorClientMiddleware(call, options) {
  try {
    return yield* call.next(call.request, options);
  } catch (thrown) {
    throw thrown instanceof ClientError ? fromClientError(thrown) : thrown;
  }
};
