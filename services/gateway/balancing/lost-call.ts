import { Code, ConnectError } from "@connectrpc/connect";
import { reasonGiven } from "@headwater/client/error-details";

/** How a connection that goes away ends its calls, in Connect's words. */
const lostCodes: ReadonlySet<Code> = new Set([Code.Unavailable, Code.Canceled, Code.Aborted]);

/** The same in Node's, for which Connect has no code. */
const lostErrors: ReadonlySet<string> = new Set([
  "ECONNRESET",
  "EPIPE",
  "ERR_HTTP2_GOAWAY_SESSION",
  "ERR_HTTP2_INVALID_SESSION",
  "ERR_HTTP2_INVALID_STREAM",
  "ERR_HTTP2_SESSION_ERROR",
  "ERR_HTTP2_STREAM_CANCEL",
  "ERR_HTTP2_STREAM_ERROR",
]);

/** Where the end comes between two messages. */
const cutOff = "protocol error: missing status";

/**
 * True where the server of a call is gone or going, and another may take it: the connection was lost, or the server
 * said that it stops. What a service says of the call itself is never that.
 */
export function isLostCall(thrown: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted) return false;
  const error = ConnectError.from(thrown);
  const reason = reasonGiven(error);
  if (reason !== undefined) return reason === "HW_SERVER_DRAINING";
  if (lostCodes.has(error.code)) return true;
  return error.code === Code.Internal && (error.rawMessage === cutOff || hasCause(error, lostErrors));
}

function hasCause(error: Error, codes: ReadonlySet<string>): boolean {
  let cause = error.cause;
  for (let depth = 0; cause instanceof Error && depth < 5; depth += 1) {
    if ("code" in cause && codes.has(String(cause.code))) return true;
    cause = cause.cause;
  }
  return false;
}
