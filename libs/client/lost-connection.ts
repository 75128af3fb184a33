import type { ConnectError } from "@connectrpc/connect";
import { reasonGiven } from "./error-details.ts";

/** How a connection that goes away ends its calls, in Node's words. */
const lostErrors: ReadonlySet<string> = new Set([
  "ECONNRESET",
  "EPIPE",
  "ERR_HTTP2_GOAWAY_SESSION",
  "ERR_HTTP2_INVALID_SESSION",
  "ERR_HTTP2_INVALID_STREAM",
  "ERR_HTTP2_SESSION_ERROR",
  "ERR_HTTP2_STREAM_CANCEL",
  "ERR_HTTP2_STREAM_ERROR",
  "ERR_STREAM_PREMATURE_CLOSE",
]);

/** The same in Connect's: Node resets the calls of a lost connection as their caller would. Who has left is told otherwise. */
const reset = /^http\/2 stream closed with error code (CANCEL|REFUSED_STREAM)/;

/** Where the end comes between two messages. */
const cutOff = "protocol error: missing status";

/** True where a call ended because its connection went away under it: neither the server nor the caller ended it. */
export function isLostConnection(error: ConnectError): boolean {
  if (reasonGiven(error) !== undefined) return false;
  return error.rawMessage === cutOff || reset.test(error.rawMessage) || hasCause(error, lostErrors);
}

function hasCause(error: Error, codes: ReadonlySet<string>): boolean {
  let cause = error.cause;
  for (let depth = 0; cause instanceof Error && depth < 5; depth += 1) {
    if ("code" in cause && codes.has(String(cause.code))) return true;
    cause = cause.cause;
  }
  return false;
}
