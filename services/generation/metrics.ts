import type { QueryMetrics, Registry } from "@headwater/telemetry";
import { createQueryMetrics, durationBuckets, Histogram } from "@headwater/telemetry";

export interface GenerationMetrics extends QueryMetrics {
  readonly firstToken: Histogram<"model">;
}

/** @param models names; each series exists, at zero, before the first request */
export function createGenerationMetrics(registry: Registry, models: readonly string[]): GenerationMetrics {
  const registers = [registry];
  const firstToken = new Histogram({
    name: "headwater_generation_first_token_seconds",
    help: "From request to the first text of an answer",
    labelNames: ["model"],
    buckets: durationBuckets,
    registers,
  });
  for (const model of models) firstToken.zero({ model });
  return { ...createQueryMetrics(registry, ["answer", "chat"]), firstToken };
}
