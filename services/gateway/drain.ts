import { HeadwaterError, status } from "@headwater/errors";

/** Ends what would never end by itself when the gateway stops. */
export interface Drain {
  /** Fires when the gateway begins to stop. */
  readonly signal: AbortSignal;
  start(): void;
}

export function createDrain(): Drain {
  const controller = new AbortController();
  return { signal: controller.signal, start: () => controller.abort(serverDraining()) };
}

export function serverDraining(): HeadwaterError {
  return new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_SERVER_DRAINING",
    message: "The server is shutting down.",
    action: "Connect again; another server takes over.",
    retryAfterMs: 1000,
  });
}
