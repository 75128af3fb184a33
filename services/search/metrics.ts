import type { Degradation } from "@headwater/proto/services/headwater/v1/search";
import { Stage } from "@headwater/proto/services/headwater/v1/search";
import type { Registry } from "@headwater/telemetry";
import { Counter, durationBuckets, Gauge, Histogram } from "@headwater/telemetry";
import type { Admission } from "./admission.ts";
import type { Step } from "./step-timer.ts";

export interface SearchMetrics {
  readonly stepSeconds: Histogram<"step">;
  readonly countDegradation: (degradation: Degradation) => void;
}

const steps: readonly Step[] = ["embed", "lexical", "vector", "fuse", "rerank"];
const stageNames = new Map<Stage, string>([
  [Stage.LEXICAL, "lexical"],
  [Stage.VECTOR, "vector"],
  [Stage.RERANKED, "reranked"],
]);

export function createSearchMetrics(registry: Registry, admission: Admission): SearchMetrics {
  const registers = [registry];
  const stepSeconds = new Histogram({
    name: "headwater_search_step_duration_seconds",
    help: "Steps of a search",
    labelNames: ["step"],
    buckets: durationBuckets,
    registers,
  });
  const degradations = new Counter({
    name: "headwater_search_degradations_total",
    help: "Searches that had to do without a stage",
    labelNames: ["stage", "reason"],
    registers,
  });
  new Gauge({
    name: "headwater_search_waiting_requests",
    help: "Searches that wait for their turn",
    registers,
    collect() {
      this.set(admission.waiting);
    },
  });
  for (const step of steps) stepSeconds.zero({ step });
  for (const stage of stageNames.values()) degradations.inc({ stage, reason: "HW_SERVICE_UNAVAILABLE" }, 0);
  return {
    stepSeconds,
    countDegradation: ({ stage, reason }) =>
      degradations.inc({ stage: stageNames.get(stage) ?? "unknown", reason }),
  };
}
