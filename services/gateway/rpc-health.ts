import { setTimeout as delay } from "node:timers/promises";
import type { ConnectRouter } from "@connectrpc/connect";
import { toConnectError } from "@headwater/client/error-details";
import { Health, ServingStatus } from "@headwater/client/health";
import { HeadwaterError, status } from "@headwater/errors";
import { livenessService } from "@headwater/rpc";
import type { ServiceHealth } from "./upstream.ts";

/** A watcher hears of a change within so many milliseconds. */
const watchIntervalMs = 1000;

/** `grpc.health.v1` of the gateway: "" and the services by name, and liveness on its own. */
export function serveHealth(
  router: ConnectRouter,
  names: Readonly<Record<string, string>>,
  ask: () => Promise<ServiceHealth[]>,
  draining: AbortSignal,
): void {
  const stateOf = async (name: string): Promise<ServingStatus> => {
    if (draining.aborted) return ServingStatus.NOT_SERVING;
    if (name === livenessService) return ServingStatus.SERVING;
    const service = names[name];
    if (name !== "" && service === undefined) return ServingStatus.SERVICE_UNKNOWN;
    const states = await ask();
    const asked = states.filter((state) => name === "" || state.service === service);
    return asked.every(({ problem, needed }) => problem === undefined || (name === "" && !needed))
      ? ServingStatus.SERVING
      : ServingStatus.NOT_SERVING;
  };
  router.service(Health, {
    async check({ service }) {
      const state = await stateOf(service);
      if (state === ServingStatus.SERVICE_UNKNOWN) throw toConnectError(unknownService());
      return { status: state };
    },
    async *watch({ service }, context) {
      const signal = AbortSignal.any([context.signal, draining]);
      let last: ServingStatus | undefined;
      while (!context.signal.aborted) {
        const state = await stateOf(service);
        if (state !== last) yield { status: state };
        last = state;
        if (draining.aborted) return;
        // Rejects only when one of the signals fires, and the loop looks at both.
        await delay(watchIntervalMs, undefined, { signal }).catch(() => {});
      }
    },
  });
}

function unknownService(): HeadwaterError {
  return new HeadwaterError({
    code: status.NOT_FOUND,
    reason: "HW_SERVICE_UNKNOWN",
    message: "No service of this name is served here.",
  });
}
