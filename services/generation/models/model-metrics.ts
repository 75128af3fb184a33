import type { Registry } from "@headwater/telemetry";
import { Counter, durationBuckets, Histogram } from "@headwater/telemetry";

/** Buckets that OpenTelemetry advises for tokens: powers of four. */
const tokenBuckets = Array.from({ length: 14 }, (_, power) => 4 ** power);

const operation = ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model"] as const;

export interface ModelMetrics {
  readonly tokens: Counter<"model" | "direction">;
  readonly cost: Counter<"model">;
  readonly retries: Counter<"model" | "reason">;
  readonly fallbacks: Counter<"model" | "fallback">;
  /** gen_ai.client.token.usage of OpenTelemetry's conventions, as Prometheus writes it. */
  readonly tokenUsage: Histogram<(typeof operation)[number] | "gen_ai_token_type">;
  /** gen_ai.client.operation.duration, likewise. */
  readonly operationDuration: Histogram<(typeof operation)[number] | "error_type">;
}

/** @param models names; each series exists, at zero, before the first request */
export function createModelMetrics(registry: Registry, models: readonly string[]): ModelMetrics {
  const registers = [registry];
  const metrics: ModelMetrics = {
    tokens: new Counter({
      name: "headwater_generation_tokens_total",
      help: "Tokens read (input) and written (output) by a language model",
      labelNames: ["model", "direction"],
      registers,
    }),
    cost: new Counter({
      name: "headwater_generation_cost_dollars_total",
      help: "US dollars for tokens, by the prices in the settings",
      labelNames: ["model"],
      registers,
    }),
    retries: new Counter({
      name: "headwater_generation_model_retries_total",
      help: "Requests that were sent to a language model again, by what had failed",
      labelNames: ["model", "reason"],
      registers,
    }),
    fallbacks: new Counter({
      name: "headwater_generation_model_fallbacks_total",
      help: "Requests that went on to another language model because one had failed",
      labelNames: ["model", "fallback"],
      registers,
    }),
    tokenUsage: new Histogram({
      name: "gen_ai_client_token_usage",
      help: "Tokens read (input) and written (output) in one request",
      labelNames: [...operation, "gen_ai_token_type"],
      buckets: tokenBuckets,
      registers,
    }),
    operationDuration: new Histogram({
      name: "gen_ai_client_operation_duration_seconds",
      help: "From request to the last token of a language model",
      labelNames: [...operation, "error_type"],
      buckets: durationBuckets,
      registers,
    }),
  };
  for (const model of models) {
    for (const direction of ["input", "output"]) metrics.tokens.inc({ model, direction }, 0);
    metrics.cost.inc({ model }, 0);
  }
  return metrics;
}
