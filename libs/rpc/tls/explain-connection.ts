import { HeadwaterError, status } from "@headwater/errors";
import type { ClientMiddleware } from "nice-grpc-common";
import { ClientError } from "nice-grpc-common";
import { serverProblem } from "./server-problem.ts";
import type { TlsIdentity } from "./tls-identity.ts";

/** What grpc-js says where a connection ends before the server said anything over HTTP/2, politely or not. */
const closedEarly = /Last error: .*(Failed to connect|ECONNRESET|EPIPE|Socket closed)/;

/**
 * Says of calls for which no connection came about what is wrong between the two sides, where that is known.
 *
 * @param tls undefined: plain text
 */
export function explainConnection(tls: TlsIdentity | undefined, serverName: string): ClientMiddleware {
  return async function* explain(call, options) {
    try {
      return yield* call.next(call.request, options);
    } catch (thrown) {
      throw (isUnconnected(thrown) && problem(tls, serverName, thrown)) || thrown;
    }
  };
}

function isUnconnected(thrown: unknown): thrown is ClientError {
  return (
    thrown instanceof ClientError &&
    thrown.code === status.UNAVAILABLE &&
    thrown.details.includes("No connection established")
  );
}

function problem(tls: TlsIdentity | undefined, serverName: string, cause: ClientError) {
  const known = tls?.problem(serverName);
  if (known) return known;
  if (!closedEarly.test(cause.details)) return undefined;
  return tls ? serverProblem("client_refused", serverName, cause) : tlsWanted(serverName, cause);
}

function tlsWanted(serverName: string, cause: ClientError): HeadwaterError {
  return new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_TLS_WANTED",
    message: `The server ${serverName} ended the connection before it said anything: it may speak TLS alone.`,
    action: "Set HEADWATER_TLS_DIR here too, or on neither side.",
    cause,
  });
}
