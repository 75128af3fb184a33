import type { ServerInterceptor } from "@grpc/grpc-js";
import { ServerInterceptingCall } from "@grpc/grpc-js";
import { HeadwaterError, status } from "@headwater/errors";
import type { ServerMiddleware } from "nice-grpc-common";
import { subjectNames } from "./subject-names.ts";
import type { TlsIdentity } from "./tls-identity.ts";

/**
 * Marks a call that is refused, with the names of the caller's certificate. Only the interceptor sees the certificate and
 * only a middleware can answer as calls are answered here; a caller who sets it gets itself refused.
 */
const refusedKey = "headwater-refused-client";

/** Marks each call of a client whose certificate bears none of the allowed names. */
export function markClients(identity: TlsIdentity): ServerInterceptor {
  const { allowedClients } = identity;
  return (method, call) => {
    if (allowedClients === "*") return new ServerInterceptingCall(call);
    const names = subjectNames(call.getAuthContext().sslPeerCertificate?.subjectaltname);
    if (names.some((name) => allowedClients.has(name))) return new ServerInterceptingCall(call);
    identity.refuse("identity", { client: names, peer: call.getPeer(), method: method.path });
    return new ServerInterceptingCall(call, {
      start(next) {
        next({
          onReceiveMetadata(metadata, pass) {
            // Metadata are printable ASCII; a name that is not could not be allowed either.
            metadata.set(refusedKey, names.join(", ").replace(/[^ -~]/g, "?"));
            pass(metadata);
          },
        });
      },
    });
  };
}

/** Ends the calls that are marked: PERMISSION_DENIED, HW_CLIENT_NOT_ALLOWED. */
export const refuseMarked: ServerMiddleware = (call, context) => {
  const names = context.metadata.get(refusedKey);
  if (names === undefined) return call.next(call.request, context);
  throw new HeadwaterError({
    code: status.PERMISSION_DENIED,
    reason: "HW_CLIENT_NOT_ALLOWED",
    message: `This service takes no calls from ${names === "" ? "a certificate without a DNS or URI name" : names}.`,
    action:
      "Add one of these names to HEADWATER_TLS_ALLOWED_CLIENTS of the service, if it is meant to be called so.",
  });
};
