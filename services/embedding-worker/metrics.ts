import type { QueryMetrics, Registry } from "@headwater/telemetry";
import { Counter, createQueryMetrics, durationBuckets, Gauge, Histogram } from "@headwater/telemetry";
import { lanes } from "./scheduling/work.ts";

/** Why work was dropped before the model saw it. */
export const dropReasons = ["left", "deadline", "refused"] as const;
export type DropReason = (typeof dropReasons)[number];

/** Values of the label `cache`: what is kept, and in which tier. */
export const cacheNames = [
  "vectors_memory",
  "vectors_disk",
  "vectors_redis",
  "token_vectors_memory",
  "token_vectors_disk",
  "token_vectors_redis",
] as const;
export type CacheName = (typeof cacheNames)[number];

export const stages = ["tokenize", "queue", "inference"] as const;

export interface EmbeddingMetrics extends QueryMetrics {
  readonly queueTokens: Gauge<"lane">;
  readonly inFlightTokens: Gauge;
  readonly tokens: Counter<"lane">;
  readonly dropped: Counter<"why">;
  readonly batchFill: Histogram;
  readonly batchTexts: Histogram;
  readonly stageSeconds: Histogram<"stage">;
}

/** All series exist, at zero, before the first request. */
export function createEmbeddingMetrics(registry: Registry): EmbeddingMetrics {
  const registers = [registry];
  const metrics: EmbeddingMetrics = {
    ...createQueryMetrics(registry, ["embed_query", "rerank"], cacheNames),
    queueTokens: new Gauge<"lane">({
      name: "headwater_embedding_queue_tokens",
      help: "Tokens that wait for the model",
      labelNames: ["lane"],
      registers,
    }),
    inFlightTokens: new Gauge({
      name: "headwater_embedding_in_flight_tokens",
      help: "Tokens in the model, padding left out",
      registers,
    }),
    tokens: new Counter<"lane">({
      name: "headwater_embedding_tokens_total",
      help: "Tokens that went through the model, padding left out",
      labelNames: ["lane"],
      registers,
    }),
    dropped: new Counter<"why">({
      name: "headwater_embedding_dropped_total",
      help: "Texts dropped before the model: caller left, time was up, refused for load",
      labelNames: ["why"],
      registers,
    }),
    batchFill: new Histogram({
      name: "headwater_embedding_batch_fill_ratio",
      help: "Share of a batch that is text, not padding",
      buckets: [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1],
      registers,
    }),
    batchTexts: new Histogram({
      name: "headwater_embedding_batch_texts",
      help: "Texts in a batch",
      buckets: [1, 2, 4, 8, 16, 32, 64],
      registers,
    }),
    stageSeconds: new Histogram<"stage">({
      name: "headwater_embedding_stage_duration_seconds",
      help: "Time of each stage: tokenize a request, queue and inference of a batch",
      labelNames: ["stage"],
      buckets: durationBuckets,
      registers,
    }),
  };
  for (const lane of lanes) {
    metrics.queueTokens.set({ lane }, 0);
    metrics.tokens.inc({ lane }, 0);
  }
  metrics.inFlightTokens.set(0);
  for (const why of dropReasons) metrics.dropped.inc({ why }, 0);
  for (const stage of stages) metrics.stageSeconds.zero({ stage });
  return metrics;
}
