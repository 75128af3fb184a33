import type { QueryMetrics, Registry } from "@headwater/telemetry";
import { Counter, createQueryMetrics, durationBuckets, Histogram } from "@headwater/telemetry";

export interface GenerationMetrics extends QueryMetrics {
  readonly tokens: Counter<"model" | "direction">;
  readonly firstToken: Histogram<"model">;
}

/** @param models names; each series exists, at zero, before the first request */
export function createGenerationMetrics(registry: Registry, models: readonly string[]): GenerationMetrics {
  const registers = [registry];
  const tokens = new Counter({
    name: "headwater_generation_tokens_total",
    help: "Tokens read (input) and written (output) by a language model",
    labelNames: ["model", "direction"],
    registers,
  });
  const firstToken = new Histogram({
    name: "headwater_generation_first_token_seconds",
    help: "From request to the first text of an answer",
    labelNames: ["model"],
    buckets: durationBuckets,
    registers,
  });
  for (const model of models) {
    for (const direction of ["input", "output"]) tokens.inc({ model, direction }, 0);
    firstToken.zero({ model });
  }
  return { ...createQueryMetrics(registry, ["answer"]), tokens, firstToken };
}
