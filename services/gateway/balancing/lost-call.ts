import { Code, ConnectError } from "@connectrpc/connect";
import { reasonGiven } from "@headwater/client/error-details";

/** How a connection that goes away ends its calls, where nobody has said anything else. */
const lostCodes: ReadonlySet<Code> = new Set([Code.Unavailable, Code.Canceled, Code.Aborted]);

/** Of the same, where the end comes between two messages. */
const cutOff = "protocol error: missing status";

/** Reset by which a server turns away a call that it has not looked at (RFC 9113, 8.7). */
const refused = "REFUSED_STREAM";

/**
 * True where the server of a call is gone or going, and another may take it: the connection was lost, or the server
 * said that it stops. What a service says of the call itself is never that.
 */
export function isLostCall(thrown: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted) return false;
  const error = ConnectError.from(thrown);
  const reason = reasonGiven(error);
  if (reason !== undefined) return reason === "HW_SERVER_DRAINING";
  return lostCodes.has(error.code) || (error.code === Code.Internal && error.rawMessage === cutOff);
}

/** True where the server has not looked at the call: it may be made again, whatever it is. */
export function isUnseenCall(thrown: unknown): boolean {
  const error = ConnectError.from(thrown);
  return error.code === Code.Unavailable && error.rawMessage.includes(refused);
}
