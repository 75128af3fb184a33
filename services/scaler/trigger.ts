import type { HeadwaterError } from "@headwater/errors";
import { invalidArgument } from "@headwater/errors";
import type { Workload } from "./followed-service.ts";
import { workloads } from "./followed-service.ts";

/** What a ScaledObject asks for. */
export interface Trigger {
  readonly workload: Workload;
  /** What one pod stands for, in the unit of the workload's metric. */
  readonly target: number;
  /** Beyond it streams count for more; undefined: latency is not looked at. */
  readonly latencySeconds: number | undefined;
}

/** Names of the metrics; the HPA shows them. */
export const metricNames: Readonly<Record<Workload, string>> = {
  "embedding-worker": "headwater-embedding-work-seconds",
  search: "headwater-search-streams",
  generation: "headwater-generation-streams",
  gateway: "headwater-gateway-connections",
};

/** KEDA hands its own entries on with ours. */
const kedaKeys: ReadonlySet<string> = new Set(["scalerAddress", "enableTLS", "unsafeSsl"]);
const ownKeys: ReadonlySet<string> = new Set(["workload", "target", "latencySeconds"]);

/** Workloads that have a latency of their own. */
const withLatency: ReadonlySet<Workload> = new Set<Workload>(["search", "generation"]);

/** Thousandths are the finest that KEDA hands on. */
const leastTarget = 0.001;

/** @throws HeadwaterError INVALID_ARGUMENT, HW_TRIGGER_INVALID */
export function readTrigger(metadata: Readonly<Record<string, string>>): Trigger {
  for (const key of Object.keys(metadata)) {
    if (!ownKeys.has(key) && !kedaKeys.has(key))
      throw invalid(`${key} is not known`, `Leave it out; there are ${[...ownKeys].join(", ")}.`);
  }
  const workload = workloads.find((name) => name === metadata["workload"]);
  if (!workload) {
    throw invalid(
      `workload is ${shown(metadata["workload"])}`,
      `Set it to one of ${workloads.join(", ")}. Ingest has KEDA's own trigger for Kafka.`,
    );
  }
  const target = positive(metadata, "target");
  if (target === undefined) throw invalid("target is not set", "Set what one pod stands for, such as 5.");
  const latencySeconds = positive(metadata, "latencySeconds");
  if (latencySeconds !== undefined && !withLatency.has(workload))
    throw invalid(`latencySeconds says nothing about ${workload}`, "Leave it out.");
  return { workload, target, latencySeconds };
}

function positive(metadata: Readonly<Record<string, string>>, key: string): number | undefined {
  const given = metadata[key];
  if (given === undefined) return undefined;
  const value = /^\d+(\.\d+)?$/.test(given) ? Number(given) : Number.NaN;
  if (value >= leastTarget && value <= Number.MAX_SAFE_INTEGER) return value;
  throw invalid(`${key} is ${shown(given)}`, `Set it to a number of ${leastTarget} or more, in quotes.`);
}

function shown(value: string | undefined): string {
  return value === undefined ? "not set" : JSON.stringify(value);
}

function invalid(what: string, action: string): HeadwaterError {
  return invalidArgument("HW_TRIGGER_INVALID", `The trigger's metadata cannot be used: ${what}.`, action);
}
