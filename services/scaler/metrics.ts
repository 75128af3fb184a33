import type { Registry } from "@headwater/telemetry";
import { Counter, Gauge } from "@headwater/telemetry";
import type { Fleet } from "./fleet.ts";
import type { FollowedService } from "./followed-service.ts";
import { workloads } from "./followed-service.ts";

export interface ScalerMetrics {
  readonly work: Gauge<"workload">;
  readonly replicas: Gauge<"workload">;
  readonly active: Gauge<"workload">;
  readonly reports: Counter<"workload">;
  readonly unresolved: Counter<"workload">;
}

/** @param followed each of their series exists, at zero, before the first report */
export function createScalerMetrics(registry: Registry, followed: readonly FollowedService[]): ScalerMetrics {
  const registers = [registry];
  const labelNames = ["workload"] as const;
  const metrics: ScalerMetrics = {
    work: new Gauge({
      name: "headwater_scaler_work",
      help: "What was told last, of all pods: seconds of work, streams or connections",
      ...{ labelNames, registers },
    }),
    replicas: new Gauge({
      name: "headwater_scaler_replicas",
      help: "Replicas that the work needs at the trigger's target, without the bounds of the ScaledObject",
      ...{ labelNames, registers },
    }),
    active: new Gauge({
      name: "headwater_scaler_active",
      help: "1 while the workload was last told to have work",
      ...{ labelNames, registers },
    }),
    reports: new Counter({
      name: "headwater_scaler_reports_total",
      help: "Reports of pods",
      ...{ labelNames, registers },
    }),
    unresolved: new Counter({
      name: "headwater_scaler_resolution_failures_total",
      help: "Looks at which pods there are that failed; those that were known stay",
      ...{ labelNames, registers },
    }),
  };
  for (const workload of followed) {
    metrics.reports.inc({ workload }, 0);
    metrics.unresolved.inc({ workload }, 0);
  }
  for (const workload of workloads) {
    if (!followed.includes(workload)) continue;
    for (const gauge of [metrics.work, metrics.replicas, metrics.active]) gauge.set({ workload }, 0);
  }
  return metrics;
}

/** Pods by what is known of them, as they are when the metrics are asked for. */
export function observeFleets(registry: Registry, fleets: ReadonlyMap<FollowedService, Fleet>): void {
  new Gauge({
    name: "headwater_scaler_pods",
    help: "Pods that are followed: heard, lost (heard before) and unheard; the last two hold replicas",
    labelNames: ["workload", "state"],
    registers: [registry],
    collect() {
      for (const [workload, fleet] of fleets) {
        const { reporting, lost, unheard } = fleet.view;
        this.set({ workload, state: "reporting" }, reporting.length);
        this.set({ workload, state: "lost" }, lost.length);
        this.set({ workload, state: "unheard" }, unheard);
      }
    },
  });
}
