import type { Registry } from "@headwater/telemetry";
import { Counter, Gauge, Histogram } from "@headwater/telemetry";

export interface JobMetrics {
  readonly ended: Counter<"kind" | "state">;
  readonly duration: Histogram<"kind">;
  /** Replaces what was known of the jobs that have not ended. */
  readonly showOpen: (open: readonly OpenJobs[]) => void;
}

/** Jobs of one kind that have not ended, in all processes. */
export interface OpenJobs {
  readonly kind: string;
  readonly state: "queued" | "active";
  readonly count: number;
  /** Seconds since the first of them should have been started; 0: none should. */
  readonly oldestSeconds: number;
}

const openStates = ["queued", "active"] as const;

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
  const open = new Gauge({
    name: "headwater_jobs_open",
    help: "Jobs that have not ended, in all processes: each tells the same",
    labelNames: ["kind", "state"],
    registers,
  });
  const oldest = new Gauge({
    name: "headwater_jobs_oldest_queued_seconds",
    help: "For how long the first job in the queue could have been started, in all processes",
    labelNames: ["kind"],
    registers,
  });
  const showOpen = (known: readonly OpenJobs[]) => {
    for (const kind of kinds) {
      for (const state of openStates) open.set({ kind, state }, 0);
      oldest.set({ kind }, 0);
    }
    for (const { kind, state, count, oldestSeconds } of known.filter((one) => kinds.includes(one.kind))) {
      open.set({ kind, state }, count);
      if (state === "queued") oldest.set({ kind }, oldestSeconds);
    }
  };
  showOpen([]);
  for (const kind of kinds) {
    for (const state of ["completed", "failed", "cancelled"]) ended.inc({ kind, state }, 0);
    duration.zero({ kind });
  }
  return { ended, duration, showOpen };
}
