import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema, RetryInfoSchema } from "./gen/google/rpc/error_details_pb.ts";
import { isLostConnection } from "./lost-connection.ts";

/** Everything that the client throws. */
export class HeadwaterClientError extends Error {
  override readonly name = "HeadwaterClientError";
  /** gRPC status code. */
  readonly code: Code;
  /** Stable, `HW_…`; scripts may depend on it. */
  readonly reason: string;
  /** What can be done about it; empty where nothing is known. */
  readonly action: string;
  /** Milliseconds after which a retry makes sense; undefined where the server gave no hint. */
  readonly retryAfterMs: number | undefined;

  constructor(options: {
    code: Code;
    reason: string;
    message: string;
    action?: string;
    retryAfterMs?: number | undefined;
    cause?: unknown;
  }) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.reason = options.reason;
    this.action = options.action ?? "";
    this.retryAfterMs = options.retryAfterMs;
  }

  /** Name of the code as gRPC writes it, such as "NOT_FOUND". */
  get codeName(): string {
    return codeNames[this.code] ?? "UNKNOWN";
  }

  /** True where the same call can succeed later without anybody mending anything. */
  get transient(): boolean {
    return (
      this.code === Code.Unavailable || this.code === Code.ResourceExhausted || this.code === Code.Aborted
    );
  }

  /** The error that an HTTP route answered with. */
  static fromHttp(status: number, body: string): HeadwaterClientError {
    const { code, reason, message, action, retry_after_ms: retryAfterMs } = errorFields(body);
    const named = Object.entries(codeNames).find(([, name]) => name === code)?.[0];
    return new HeadwaterClientError({
      code: named === undefined ? Code.Unknown : (Number(named) as Code),
      reason: typeof reason === "string" ? reason : "HW_CALL_FAILED",
      message: typeof message === "string" ? message : `The server answered with HTTP status ${status}.`,
      action: typeof action === "string" ? action : "",
      retryAfterMs: typeof retryAfterMs === "number" ? retryAfterMs : undefined,
    });
  }

  /** Gives anything that a call threw the form of a HeadwaterClientError. */
  static from(thrown: unknown): HeadwaterClientError {
    if (thrown instanceof HeadwaterClientError) return thrown;
    const error = ConnectError.from(thrown);
    if (isNetworkFailure(error)) {
      return new HeadwaterClientError({
        code: Code.Unavailable,
        reason: "HW_SERVICE_UNAVAILABLE",
        message: "Headwater cannot be reached.",
        action: "Check that Headwater runs and that its address is right, then try again.",
        cause: thrown,
      });
    }
    if (isLostConnection(error)) {
      return new HeadwaterClientError({
        code: Code.Unavailable,
        reason: "HW_SERVICE_UNAVAILABLE",
        message: "The connection was lost before the call had ended.",
        action: "Try again. What the call was to write may have been written.",
        cause: thrown,
      });
    }
    const [info] = error.findDetails(ErrorInfoSchema);
    const [retry] = error.findDetails(RetryInfoSchema);
    const delay = retry?.retryDelay;
    return new HeadwaterClientError({
      code: error.code,
      reason: info?.reason || (reasons[error.code] ?? "HW_CALL_FAILED"),
      message: error.rawMessage,
      action: info?.metadata["action"] ?? "",
      retryAfterMs: delay && durationMs(delay),
      cause: thrown,
    });
  }
}

/** The gateway's JSON error, `{error: {code, reason, message, action, retry_after_ms}}`. */
function errorFields(body: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === "object" && parsed !== null && "error" in parsed)
      return { ...(parsed.error ?? {}) };
  } catch {
    // Not ours: a proxy in between answered with a page of its own. The HTTP status says enough.
  }
  return {};
}

/** A call that never reached a server: fetch rejects with TypeError, Node with an errno. */
function isNetworkFailure(error: ConnectError): boolean {
  if (error.findDetails(ErrorInfoSchema).length > 0) return false;
  const cause = error.cause;
  if (cause instanceof TypeError) return error.code === Code.Unknown || error.code === Code.Internal;
  if (!(cause instanceof Error) || !("code" in cause)) return false;
  return ["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "EPIPE"].includes(
    String(cause.code),
  );
}

/** For a status that the transport itself raised. */
const reasons: Readonly<Partial<Record<Code, string>>> = {
  [Code.Canceled]: "HW_CANCELLED",
  [Code.DeadlineExceeded]: "HW_DEADLINE_EXCEEDED",
  [Code.Unavailable]: "HW_SERVICE_UNAVAILABLE",
  [Code.Unimplemented]: "HW_METHOD_UNKNOWN",
  [Code.ResourceExhausted]: "HW_MESSAGE_TOO_LARGE",
  [Code.Unauthenticated]: "HW_CREDENTIALS_MISSING",
};

const codeNames: Readonly<Record<Code, string>> = {
  [Code.Canceled]: "CANCELLED",
  [Code.Unknown]: "UNKNOWN",
  [Code.InvalidArgument]: "INVALID_ARGUMENT",
  [Code.DeadlineExceeded]: "DEADLINE_EXCEEDED",
  [Code.NotFound]: "NOT_FOUND",
  [Code.AlreadyExists]: "ALREADY_EXISTS",
  [Code.PermissionDenied]: "PERMISSION_DENIED",
  [Code.ResourceExhausted]: "RESOURCE_EXHAUSTED",
  [Code.FailedPrecondition]: "FAILED_PRECONDITION",
  [Code.Aborted]: "ABORTED",
  [Code.OutOfRange]: "OUT_OF_RANGE",
  [Code.Unimplemented]: "UNIMPLEMENTED",
  [Code.Internal]: "INTERNAL",
  [Code.Unavailable]: "UNAVAILABLE",
  [Code.DataLoss]: "DATA_LOSS",
  [Code.Unauthenticated]: "UNAUTHENTICATED",
};
