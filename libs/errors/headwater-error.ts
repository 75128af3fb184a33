import type { Code } from "./status.ts";
import { status } from "./status.ts";

/** What went wrong, as every part of Headwater says it. */
export interface HeadwaterErrorOptions {
  /** gRPC status code; HTTP codes follow from it (see `httpStatus`). */
  code: Code;
  /** Stable and greppable, `HW_` and upper case. Scripts and dashboards may depend on it. */
  reason: `HW_${string}`;
  /** What happened, for people. No document text and no secret: it is logged and sent to callers. */
  message: string;
  /** What the caller can do about it, as a sentence. */
  action?: string;
  /** Milliseconds after which a retry makes sense; set on overload. */
  retryAfterMs?: number;
  /** Kept for logs, never sent to a caller. */
  cause?: unknown;
}

/** The one error class. Thrown at the place that knows what went wrong, mapped to a transport in one place only. */
export class HeadwaterError extends Error {
  override readonly name = "HeadwaterError";
  readonly code: Code;
  readonly reason: string;
  readonly action: string;
  readonly retryAfterMs: number | undefined;

  constructor(options: HeadwaterErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.reason = options.reason;
    this.action = options.action ?? "";
    this.retryAfterMs = options.retryAfterMs;
  }

  /** Gives anything that was thrown the form of a HeadwaterError; one that already is comes back as it is. */
  static from(thrown: unknown): HeadwaterError {
    if (thrown instanceof HeadwaterError) return thrown;
    if (isAbort(thrown)) {
      return new HeadwaterError({
        code: status.CANCELLED,
        reason: "HW_CANCELLED",
        message: "The caller left before the work was done.",
        cause: thrown,
      });
    }
    const known = nodeErrorOf(thrown);
    if (known) return new HeadwaterError({ ...known, cause: thrown });
    return new HeadwaterError({
      code: status.INTERNAL,
      reason: "HW_INTERNAL",
      message: "Something went wrong inside Headwater.",
      action: "Look for this request id in the logs, and open an issue if it comes back.",
      cause: thrown,
    });
  }

  /** True where trying the same call again can succeed without anybody mending anything. */
  get transient(): boolean {
    return (
      this.code === status.UNAVAILABLE ||
      this.code === status.RESOURCE_EXHAUSTED ||
      this.code === status.ABORTED
    );
  }
}

/** A mistake of the caller's: INVALID_ARGUMENT. */
export function invalidArgument(reason: `HW_${string}`, message: string, action?: string): HeadwaterError {
  return new HeadwaterError({
    code: status.INVALID_ARGUMENT,
    reason,
    message,
    ...(action === undefined ? {} : { action }),
  });
}

function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === "AbortError";
}

/** Node's system errors, by errno name. A code that is not here is INTERNAL. */
const nodeErrors: Readonly<Record<string, Omit<HeadwaterErrorOptions, "cause">>> = {
  ENOSPC: {
    code: status.UNAVAILABLE,
    reason: "HW_DISK_FULL",
    message: "The disk is full.",
    action: "Free space on the volume of HEADWATER_DATA_DIR; work goes on by itself.",
  },
  EACCES: {
    code: status.FAILED_PRECONDITION,
    reason: "HW_FILE_FORBIDDEN",
    message: "A file or folder may not be opened.",
    action: "Check the owner and the rights of HEADWATER_DATA_DIR.",
  },
  EADDRINUSE: {
    code: status.FAILED_PRECONDITION,
    reason: "HW_ADDRESS_IN_USE",
    message: "The address is in use by another process.",
    action: "Stop the other process, or choose another port.",
  },
  ECONNREFUSED: {
    code: status.UNAVAILABLE,
    reason: "HW_CONNECTION_REFUSED",
    message: "Nothing listens at the address.",
    action: "Check that the service runs and that its address is right.",
  },
  ECONNRESET: {
    code: status.UNAVAILABLE,
    reason: "HW_CONNECTION_LOST",
    message: "The connection was cut.",
    action: "Try again.",
  },
  ETIMEDOUT: {
    code: status.UNAVAILABLE,
    reason: "HW_CONNECTION_TIMEOUT",
    message: "The connection timed out.",
    action: "Try again.",
  },
};

function nodeErrorOf(thrown: unknown): Omit<HeadwaterErrorOptions, "cause"> | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown) || typeof thrown.code !== "string") return undefined;
  return nodeErrors[thrown.code];
}
