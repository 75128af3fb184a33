import { Code, ConnectError } from "@connectrpc/connect";
import { reasonGiven } from "@headwater/client/error-details";
import { isLostConnection } from "@headwater/client/lost-connection";

/** How a server that cannot be reached ends calls, in Connect's words. */
const lostCodes: ReadonlySet<Code> = new Set([Code.Unavailable, Code.Canceled, Code.Aborted]);

/**
 * True where the server of a call is gone or going, and another may take it: the connection was lost, or the server
 * said that it stops. What a service says of the call itself is never that.
 */
export function isLostCall(thrown: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted) return false;
  const error = ConnectError.from(thrown);
  const reason = reasonGiven(error);
  if (reason !== undefined) return reason === "HW_SERVER_DRAINING";
  return lostCodes.has(error.code) || isLostConnection(error);
}
