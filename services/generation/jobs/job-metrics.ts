import type { Registry } from "@headwater/telemetry";
import { Counter, Histogram } from "@headwater/telemetry";

export interface JobMetrics {
  readonly ended: Counter<"kind" | "state">;
  readonly duration: Histogram<"kind">;
}

/** Seconds; jobs take from a moment to hours. */
const buckets = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600];

/** @param kinds each series exists, at zero, before the first job */
export function createJobMetrics(registry: Registry, kinds: readonly string[]): JobMetrics {
  const registers = [registry];
  const ended = new Counter({
    name: "headwater_jobs_ended_total",
    help: "Jobs that ended, by kind and state",
    labelNames: ["kind", "state"],
    registers,
  });
  const duration = new Histogram({
    name: "headwater_job_duration_seconds",
    help: "One attempt of a job",
    labelNames: ["kind"],
    buckets,
    registers,
  });
  for (const kind of kinds) {
    for (const state of ["completed", "failed", "cancelled"]) ended.inc({ kind, state }, 0);
    duration.zero({ kind });
  }
  return { ended, duration };
}
