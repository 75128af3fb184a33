import type { StreamMeter } from "@headwater/load";
import { TurnEndReason } from "@headwater/proto/services/headwater/v1/conversation";
import { EndReason } from "@headwater/proto/services/headwater/v1/generation";
import type { QueryMetrics, Registry } from "@headwater/telemetry";
import { Counter, createQueryMetrics, durationBuckets, Histogram } from "@headwater/telemetry";

export interface GenerationMetrics extends QueryMetrics {
  /** An answer's first text came so many seconds after the request. */
  countFirstToken(model: string, seconds: number): void;
  readonly ended: Counter<"model" | "reason">;
  readonly toolCalls: Counter<"model" | "outcome">;
  readonly toolSeconds: Histogram<"outcome">;
}

/** Why an answer ended, as the label `reason` has it; those of agents beside those of plain answers. */
export const endReasonNames: ReadonlyMap<EndReason, string> = new Map([
  [EndReason.COMPLETE, "complete"],
  [EndReason.LENGTH, "length"],
  [EndReason.NO_SUPPORT, "no_support"],
  [EndReason.REFUSED, "refused"],
]);
export const turnEndReasonNames: ReadonlyMap<TurnEndReason, string> = new Map([
  [TurnEndReason.COMPLETE, "complete"],
  [TurnEndReason.LENGTH, "length"],
  [TurnEndReason.NO_SUPPORT, "no_support"],
  [TurnEndReason.REFUSED, "refused"],
  [TurnEndReason.STEP_LIMIT, "step_limit"],
  [TurnEndReason.TOKEN_LIMIT, "token_limit"],
  [TurnEndReason.TIME_LIMIT, "time_limit"],
  [TurnEndReason.COST_LIMIT, "cost_limit"],
  [TurnEndReason.LOOP, "loop"],
]);

/**
 * @param models names; each series exists, at zero, before the first request
 * @param streams told of first texts, for the scaler
 */
export function createGenerationMetrics(
  registry: Registry,
  models: readonly string[],
  streams: StreamMeter,
): GenerationMetrics {
  const registers = [registry];
  const firstToken = new Histogram({
    name: "headwater_generation_first_token_seconds",
    help: "From request to the first text of an answer",
    labelNames: ["model"],
    buckets: durationBuckets,
    registers,
  });
  const ended = new Counter({
    name: "headwater_generation_answers_total",
    help: "Answers that came to an end, by the model that was asked and why it ended",
    labelNames: ["model", "reason"],
    registers,
  });
  const toolCalls = new Counter({
    name: "headwater_generation_tool_calls_total",
    help: "Calls of tools that agents made; failed: also those that were not run",
    labelNames: ["model", "outcome"],
    registers,
  });
  const toolSeconds = new Histogram({
    name: "headwater_generation_tool_call_duration_seconds",
    help: "Calls of tools, without the wait for a person's approval",
    labelNames: ["outcome"],
    buckets: durationBuckets,
    registers,
  });
  const outcomes = ["ok", "failed"];
  for (const model of models) {
    firstToken.zero({ model });
    for (const reason of turnEndReasonNames.values()) ended.inc({ model, reason }, 0);
    for (const outcome of outcomes) toolCalls.inc({ model, outcome }, 0);
  }
  for (const outcome of outcomes) toolSeconds.zero({ outcome });
  return {
    ...createQueryMetrics(registry, ["answer", "chat"]),
    ...{ ended, toolCalls, toolSeconds },
    countFirstToken(model, seconds) {
      firstToken.observe({ model }, seconds);
      streams.answered(seconds);
    },
  };
}
