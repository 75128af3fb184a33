import { registerDependencyMetrics } from "@headwater/resilience";
import { createRegistry, Histogram } from "@headwater/telemetry";
import { temporaryFolder } from "@headwater/testing";
import { createTlsMetrics } from "../../libs/rpc/tls/tls-metrics.ts";
import { createScalerMetrics, observeFleets } from "../../services/scaler/metrics.ts";
import { startTestStack } from "../support/test-stack.ts";

/** Labels that are put on by whoever scrapes, and the one that every metric of ours has. */
const targetLabels = ["namespace", "pod", "job", "instance", "container", "service"];

/** What does not come from Headwater, with the labels in use: kube-state-metrics, the kubelet, KEDA, Prometheus itself. */
const foreign: Readonly<Record<string, readonly string[]>> = {
  up: [],
  kube_horizontalpodautoscaler_status_current_replicas: ["horizontalpodautoscaler"],
  kube_horizontalpodautoscaler_spec_max_replicas: ["horizontalpodautoscaler"],
  kube_pod_container_status_restarts_total: [],
  kube_cronjob_created: ["cronjob"],
  kubelet_volume_stats_available_bytes: ["persistentvolumeclaim"],
  kubelet_volume_stats_capacity_bytes: ["persistentvolumeclaim"],
  keda_scaler_detail_errors_total: ["exported_namespace", "scaledObject", "scaler"],
};

/** Metric names and their labels, as a cluster's Prometheus has them: histograms by the names of their series. */
export type ExposedMetrics = ReadonlyMap<string, ReadonlySet<string>>;

/** Asks the services themselves: all five are started, and their registries read. */
export async function readExposedMetrics(): Promise<ExposedMetrics> {
  const exposed = new Map<string, ReadonlySet<string>>();
  for (const [name, labels] of Object.entries(foreign))
    exposed.set(name, new Set([...targetLabels, ...labels]));
  const process = createRegistry("process", { processMetrics: true });
  registerDependencyMetrics(process);
  // The stack has no certificates; services that have some have these beside their own.
  createTlsMetrics(process);
  // Nor has it KEDA to be asked by.
  createScalerMetrics(process, []);
  observeFleets(process, new Map());
  const stack = await startTestStack(await temporaryFolder());
  try {
    for (const registry of [process, ...stack.services.map(({ metrics }) => metrics)]) {
      for (const metric of registry.getMetricsAsArray()) {
        const { name, labelNames } = metric as unknown as { name: string; labelNames: readonly string[] };
        const labels = [...targetLabels, ...labelNames];
        if (!(metric instanceof Histogram)) exposed.set(name, new Set(labels));
        else {
          exposed.set(`${name}_bucket`, new Set([...labels, "le"]));
          for (const series of ["sum", "count"]) exposed.set(`${name}_${series}`, new Set(labels));
        }
      }
    }
  } finally {
    await stack.close(5000);
  }
  return exposed;
}
