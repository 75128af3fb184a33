import type { Degradation } from "@headwater/proto/services/headwater/v1/search";
import { Stage } from "@headwater/proto/services/headwater/v1/search";
import type { Registry } from "@headwater/telemetry";
import { Counter, durationBuckets, Gauge, Histogram } from "@headwater/telemetry";
import type { Admission } from "./admission.ts";
import type { Ranking } from "./ranking-cache.ts";
import type { Step } from "./step-timer.ts";

export interface SearchMetrics {
  readonly stepSeconds: Histogram<"step">;
  readonly countDegradation: (degradation: Degradation) => void;
  /** @param elapsedMs from request to the first hits, of whatever stage, empty ones left out */
  readonly observeFirstHits: (elapsedMs: number) => void;
  /** What a new search found, before it is cut into pages. */
  readonly observeRanking: (ranking: Ranking) => void;
}

/**
 * Scores whose scale stays the same from query to query, so that their distribution says something: the cosine of query
 * and nearest passage, and the reranker's own. Fused scores are relative to the best of each query.
 */
const scored = ["vector", "reranked"] as const;
const scoreBuckets = [0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1];

const steps: readonly Step[] = ["wait", "embed", "lexical", "vector", "fuse", "rerank"];
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
  const firstHits = new Histogram({
    name: "headwater_search_first_hits_seconds",
    help: "From the start of a search to its first hits, of whatever stage",
    buckets: durationBuckets,
    registers,
  });
  const zeroHits = new Counter({
    name: "headwater_search_zero_hits_total",
    help: "Searches that found nothing",
    registers,
  });
  const topScore = new Histogram({
    name: "headwater_search_top_score",
    help: "Best score of a search: cosine of the nearest passage (vector), the reranker's own (reranked)",
    labelNames: ["stage"],
    buckets: scoreBuckets,
    registers,
  });
  for (const stage of scored) topScore.zero({ stage });
  for (const step of steps) stepSeconds.zero({ step });
  for (const stage of stageNames.values()) degradations.inc({ stage, reason: "HW_SERVICE_UNAVAILABLE" }, 0);
  degradations.inc({ stage: "reranked", reason: "HW_RERANK_SHED" }, 0);
  degradations.inc({ stage: "vector", reason: "HW_VECTOR_SHED" }, 0);
  return {
    stepSeconds,
    countDegradation: ({ stage, reason }) =>
      degradations.inc({ stage: stageNames.get(stage) ?? "unknown", reason }),
    observeFirstHits: (elapsedMs) => firstHits.observe(elapsedMs / 1000),
    observeRanking({ passages }) {
      if (passages.length === 0) zeroHits.inc();
      const cosine = passages
        .flatMap(({ shares }) => shares)
        .find(({ list, rank }) => list === "vector" && rank === 1)?.score;
      const rerank = passages.reduce<number | undefined>(
        (best, { rerankScore: score }) =>
          score === undefined || (best !== undefined && best > score) ? best : score,
        undefined,
      );
      if (cosine !== undefined) topScore.observe({ stage: "vector" }, cosine);
      if (rerank !== undefined) topScore.observe({ stage: "reranked" }, rerank);
    },
  };
}
