import type { HeadwaterError } from "@headwater/errors";
import type { Telemetry } from "@headwater/telemetry";
import { Gauge } from "@headwater/telemetry";
import type { Upstream } from "./upstream.ts";

const intervalMs = 2000;

/** Keeps an eye on the services, for whoever runs the gateway. */
export interface Readiness {
  /** Why the gateway is not ready; undefined while it is. */
  readonly notReady: HeadwaterError | undefined;
  stop(): void;
}

/** Asks now, and every two seconds from then on. */
export async function watchReadiness(upstream: Upstream, telemetry: Telemetry): Promise<Readiness> {
  const up = new Gauge({
    name: "headwater_gateway_service_ready",
    help: "1 while the service says that it is ready",
    labelNames: ["upstream"],
    registers: [telemetry.metrics],
  });
  let notReady: HeadwaterError | undefined;
  let known = "";
  const check = async () => {
    const services = await upstream.health();
    for (const { service, problem } of services) up.set({ upstream: service }, problem ? 0 : 1);
    notReady = services.find(({ problem, needed }) => problem && needed)?.problem;
    const missing = services.flatMap(({ service, problem }) => (problem ? [service] : [])).join(", ");
    if (missing !== known) telemetry.log.info({ waiting_for: missing }, notReady ? "not ready" : "ready");
    known = missing;
  };
  await check();
  const timer = setInterval(() => void check(), intervalMs);
  timer.unref();
  return {
    get notReady() {
      return notReady;
    },
    stop: () => clearInterval(timer),
  };
}
