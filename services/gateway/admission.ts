import { HeadwaterError, status } from "@headwater/errors";
import type { Registry } from "@headwater/telemetry";
import { Counter, Gauge } from "@headwater/telemetry";

/** Bounds what is under way at once, so that overload is told at once instead of growing a queue. */
export interface Admission {
  /**
   * Takes a place; the function that comes back gives it up, and may be called twice.
   *
   * @throws HeadwaterError RESOURCE_EXHAUSTED, HW_OVERLOADED while all places are taken
   */
  enter(): () => void;
}

/** After so many milliseconds a place may be free again; most requests end within it. */
const retryAfterMs = 1000;

export function createAdmission(maxActive: number, registry: Registry): Admission {
  const active = new Gauge({
    name: "headwater_gateway_active",
    help: "Requests and streams under way, over all callers",
    registers: [registry],
  });
  const refused = new Counter({
    name: "headwater_gateway_refused_total",
    help: "Requests that were refused because too many were under way",
    registers: [registry],
  });
  let count = 0;
  return {
    enter() {
      if (count >= maxActive) {
        refused.inc();
        throw new HeadwaterError({
          code: status.RESOURCE_EXHAUSTED,
          reason: "HW_OVERLOADED",
          message: "Too many requests are under way.",
          action: "Try again in a moment.",
          retryAfterMs,
        });
      }
      count += 1;
      active.set(count);
      let left = false;
      return () => {
        if (left) return;
        left = true;
        count -= 1;
        active.set(count);
      };
    },
  };
}

export function rateLimited(retryAfterMs: number): HeadwaterError {
  return new HeadwaterError({
    code: status.RESOURCE_EXHAUSTED,
    reason: "HW_RATE_LIMITED",
    message: "This caller has sent too many requests.",
    action: "Wait as long as Retry-After says; the operator sets HEADWATER_GATEWAY_RATE_LIMIT.",
    retryAfterMs,
  });
}
