import { Code, ConnectError } from "@connectrpc/connect";
import { HeadwaterClientError } from "@headwater/client";
import { codeOf, HeadwaterError, httpStatus, invalidArgument, status, statusName } from "@headwater/errors";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";

/** What every failed HTTP request is answered with. */
export interface ErrorBody {
  error: {
    code: string;
    reason: string;
    message: string;
    action: string;
    request_id: string;
    retry_after_ms?: number;
  };
}

/** Reasons that HTTP has a status of its own for; all others follow from the gRPC code. */
const statusByReason: Readonly<Record<string, number>> = {
  HW_BODY_TIMEOUT: 408,
  HW_BODY_TOO_LARGE: 413,
  HW_MEDIA_TYPE_UNSUPPORTED: 415,
  HW_METHOD_NOT_ALLOWED: 405,
  HW_NOT_ACCEPTABLE: 406,
  HW_RATE_LIMITED: 429,
  HW_UPGRADE_REQUIRED: 426,
};

export function httpStatusOf(error: HeadwaterError): number {
  return statusByReason[error.reason] ?? httpStatus(error.code);
}

/** Gives whatever a route, Fastify or the client threw the form of a HeadwaterError. */
export function toHeadwaterError(thrown: unknown): HeadwaterError {
  const own = ownFailure(thrown);
  if (own) return own;
  if (thrown instanceof ConnectError) {
    return isUnreadable(thrown) ? messageInvalid() : toHeadwaterError(HeadwaterClientError.from(thrown));
  }
  if (thrown instanceof HeadwaterClientError) {
    return new HeadwaterError({
      code: codeOf(thrown.code),
      reason: thrown.reason.startsWith("HW_") ? (thrown.reason as `HW_${string}`) : "HW_CALL_FAILED",
      message: thrown.message,
      action: thrown.action,
      ...(thrown.retryAfterMs === undefined ? {} : { retryAfterMs: thrown.retryAfterMs }),
      cause: thrown,
    });
  }
  if (thrown instanceof z.ZodError) return inputInvalid(thrown);
  const known = isFastifyError(thrown) ? fastifyErrors[thrown.code] : undefined;
  if (known) return new HeadwaterError({ ...known, cause: thrown });
  // A 4xx of Fastify's or of a plug-in's tells the caller of the caller's own mistake, never of our inside.
  if (thrown instanceof Error && isClientStatus(thrown))
    return invalidArgument("HW_REQUEST_INVALID", thrown.message);
  return HeadwaterError.from(thrown);
}

/** What Connect says of bytes that it cannot decode or decompress; INTERNAL, as if it were a fault of ours. */
const unreadable = /^(parse binary: |decompression failed|received compressed envelope, |invalid envelope, )/;

export function isUnreadable(error: ConnectError): boolean {
  return error.code === Code.Internal && unreadable.test(error.rawMessage);
}

export function messageInvalid(): HeadwaterError {
  return invalidArgument(
    "HW_MESSAGE_INVALID",
    "The request is not a message of this method, or is not compressed as it says.",
    "Encode it by the contract in proto/headwater/v1.",
  );
}

/** A failure of our own that a call passed on, such as that of a body which the call was reading. */
function ownFailure(thrown: unknown): HeadwaterError | undefined {
  let cause = thrown;
  for (let depth = 0; cause instanceof Error && depth < 5; depth += 1) {
    if (cause instanceof HeadwaterError) return cause;
    cause = cause.cause;
  }
  return undefined;
}

/** All mistakes of an input at once; names and bounds, never the values. */
export function inputInvalid(error: z.ZodError): HeadwaterError {
  const lines = error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join(".")}: ${message}`,
  );
  return invalidArgument(
    "HW_REQUEST_INVALID",
    `The request is not valid. ${lines.slice(0, 20).join("; ")}`,
    "See /openapi.json for what is allowed.",
  );
}

export function errorBody(error: HeadwaterError, requestId: string): ErrorBody {
  return {
    error: {
      code: statusName(error.code),
      reason: error.reason,
      message: error.message,
      action: error.action,
      request_id: requestId,
      ...(error.retryAfterMs === undefined ? {} : { retry_after_ms: error.retryAfterMs }),
    },
  };
}

/** How a door of the gateway words errors. */
export interface ErrorForm {
  status(error: HeadwaterError): number;
  body(error: HeadwaterError, requestId: string): object;
}

const ownForm: ErrorForm = { status: httpStatusOf, body: errorBody };

/** Answers a request that failed before its response began. */
export function sendError(
  request: FastifyRequest,
  reply: FastifyReply,
  thrown: unknown,
  form: ErrorForm = ownForm,
): FastifyReply {
  const error = toHeadwaterError(thrown);
  request.failure = error;
  const httpCode = form.status(error);
  const retryMs = error.retryAfterMs ?? (httpCode === 503 || httpCode === 429 ? 1000 : undefined);
  if (retryMs !== undefined) reply.header("retry-after", String(Math.max(1, Math.ceil(retryMs / 1000))));
  if (httpCode === 401) reply.header("www-authenticate", 'Bearer realm="headwater"');
  reply.removeHeader("content-length");
  return reply
    .code(httpCode)
    .header("content-type", "application/json; charset=utf-8")
    .serializer((body: unknown) => `${JSON.stringify(body)}\n`)
    .send(form.body(error, request.id));
}

function isClientStatus(error: Error): boolean {
  return "statusCode" in error && Number(error.statusCode) >= 400 && Number(error.statusCode) < 500;
}

function isFastifyError(thrown: unknown): thrown is FastifyError {
  return thrown instanceof Error && "code" in thrown && String(thrown.code).startsWith("FST_");
}

const fastifyErrors: Readonly<
  Record<
    string,
    { code: typeof status.INVALID_ARGUMENT; reason: `HW_${string}`; message: string; action: string }
  >
> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: status.INVALID_ARGUMENT,
    reason: "HW_MEDIA_TYPE_UNSUPPORTED",
    message: "The Content-Type is missing or is not taken here.",
    action: "Send Content-Type: application/json.",
  },
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: status.INVALID_ARGUMENT,
    reason: "HW_BODY_TOO_LARGE",
    message: "The body is too large.",
    action: "Send less; documents may be pushed as streams to /v1/documents.",
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: {
    code: status.INVALID_ARGUMENT,
    reason: "HW_JSON_INVALID",
    message: "The body is empty.",
    action: "Send a JSON object.",
  },
  FST_ERR_CTP_INVALID_JSON_BODY: {
    code: status.INVALID_ARGUMENT,
    reason: "HW_JSON_INVALID",
    message: "The body is not valid JSON.",
    action: "Send one JSON object in UTF-8.",
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: status.INVALID_ARGUMENT,
    reason: "HW_REQUEST_INVALID",
    message: "The body is not as long as its Content-Length says.",
    action: "Send the right Content-Length.",
  },
};
