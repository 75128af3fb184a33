import { MemoryAction } from "@headwater/proto/services/headwater/v1/memory";
import type { Registry } from "@headwater/telemetry";
import { Counter, durationBuckets, Histogram } from "@headwater/telemetry";

export interface MemoryMetrics {
  readonly decisions: Counter<"action">;
  readonly secrets: Counter;
  readonly recalled: Counter;
  readonly forgotten: Counter<"why">;
  readonly modelFailures: Counter;
  readonly scan: Histogram;
}

/** As the label `action` has it. */
export const actionNames: Readonly<Partial<Record<MemoryAction, string>>> = {
  [MemoryAction.STORED]: "stored",
  [MemoryAction.REPEATED]: "repeated",
  [MemoryAction.UPDATED]: "updated",
  [MemoryAction.SKIPPED]: "skipped",
};

export function createMemoryMetrics(registry: Registry): MemoryMetrics {
  const registers = [registry];
  const decisions = new Counter({
    name: "headwater_memory_decisions_total",
    help: "Statements that were weighed, by what was decided",
    labelNames: ["action"],
    registers,
  });
  const secrets = new Counter({
    name: "headwater_memory_secrets_total",
    help: "Statements that were left out because they seem to hold a secret",
    registers,
  });
  const recalled = new Counter({
    name: "headwater_memory_recalled_total",
    help: "Memories that were given to turns",
    registers,
  });
  const forgotten = new Counter({
    name: "headwater_memory_forgotten_total",
    help: "Memories that were deleted: asked for, or faded and crowded out",
    labelNames: ["why"],
    registers,
  });
  const modelFailures = new Counter({
    name: "headwater_memory_model_failures_total",
    help: "Times that rules read a message because the language model could not",
    registers,
  });
  const scan = new Histogram({
    name: "headwater_memory_scan_seconds",
    help: "Reading all memories of an owner from the record store",
    buckets: durationBuckets,
    registers,
  });
  for (const action of Object.values(actionNames)) decisions.inc({ action }, 0);
  for (const why of ["asked", "faded"]) forgotten.inc({ why }, 0);
  return { decisions, secrets, recalled, forgotten, modelFailures, scan };
}
