import { HeadwaterError, status } from "@headwater/errors";
import type { ClientMiddleware } from "nice-grpc-common";
import { ClientError } from "nice-grpc-common";
import { serverProblem } from "./server-problem.ts";
import type { TlsIdentity } from "./tls-identity.ts";

/** What grpc-js says where a server ends a connection before it said anything over HTTP/2. */
const closed = /Last error: Failed to connect/;
/** The same, of a server that goes: with TLS agreed upon, refusing the certificate is the likelier reason. */
const cut = /Last error: .*(ECONNRESET|EPIPE)/;

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
  if (!tls) return closed.test(cause.details) ? tlsWanted(serverName, cause) : undefined;
  const refused = closed.test(cause.details) || cut.test(cause.details);
  return refused ? serverProblem("client_refused", serverName, cause) : undefined;
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
