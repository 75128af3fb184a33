import { HeadwaterError, status } from "@headwater/errors";
import type { ServerMiddleware } from "nice-grpc-common";

/** Trailer of `grpc.health.v1` answers that says why a service is not ready: the protocol itself has no place for it. */
export const notReadyKey = "headwater-not-ready-bin";

const checkPath = "/grpc.health.v1.Health/Check";

/** @param notReady undefined while the service is ready */
export function readinessMiddleware(notReady: () => HeadwaterError | undefined): ServerMiddleware {
  return (call, context) => {
    const error = call.method.path === checkPath ? notReady() : undefined;
    if (error) {
      const { reason, message, action } = error;
      context.trailer.set(notReadyKey, Buffer.from(JSON.stringify({ reason, message, action })));
    }
    return call.next(call.request, context);
  };
}

/** What the trailer says; undefined where it is not one of ours. */
export function readNotReady(trailer: Uint8Array): HeadwaterError | undefined {
  try {
    const { reason, message, action } = JSON.parse(Buffer.from(trailer).toString()) as Record<
      string,
      unknown
    >;
    if (!isReason(reason) || typeof message !== "string" || typeof action !== "string") return undefined;
    return new HeadwaterError({ code: status.UNAVAILABLE, reason, message, action });
  } catch {
    return undefined;
  }
}

function isReason(value: unknown): value is `HW_${string}` {
  return typeof value === "string" && value.startsWith("HW_");
}
