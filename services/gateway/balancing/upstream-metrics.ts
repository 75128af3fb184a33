import type { Registry } from "@headwater/telemetry";
import { Counter, Gauge } from "@headwater/telemetry";

export interface UpstreamMetrics {
  readonly repeated: Counter<"service" | "method">;
  /** @param servers asked when the metrics are read */
  watch(service: string, servers: () => number): void;
}

export function createUpstreamMetrics(registry: Registry): UpstreamMetrics {
  const registers = [registry];
  const watched = new Map<string, () => number>();
  new Gauge({
    name: "headwater_upstream_servers",
    help: "Servers of a service that the gateway's calls go to",
    labelNames: ["service"],
    registers,
    collect() {
      for (const [service, servers] of watched) this.set({ service }, servers());
    },
  });
  return {
    repeated: new Counter({
      name: "headwater_upstream_repeated_calls_total",
      help: "Calls that the gateway made again, or went on with, on another server because theirs was gone",
      labelNames: ["service", "method"],
      registers,
    }),
    watch: (service, servers) => void watched.set(service, servers),
  };
}
