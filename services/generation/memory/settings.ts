import { decimal, integer } from "@headwater/settings";

export const memorySettings = {
  HEADWATER_MEMORY_THRESHOLD: decimal(0, 1)
    .default(0.35)
    .describe("Surprise from which a statement is remembered; lower keeps more, and more that nobody needs"),
  HEADWATER_MEMORY_HALF_LIFE_DAYS: integer(1, 36_500)
    .default(90)
    .describe("Days in which a memory that nobody recalls loses half of its strength; forgotten below 0.05"),
  HEADWATER_MEMORY_MAX_PER_OWNER: integer(10, 10_000)
    .default(1000)
    .describe("Memories of one owner; beyond it the weakest are forgotten. Each turn reads them all"),
  HEADWATER_MEMORY_RECALLED: integer(1, 50).default(6).describe("Memories that a turn is given, at most"),
};

/** What memory takes from the settings. */
export interface MemoryConfig {
  /** Surprise from which a statement is remembered, 0 to 1. */
  readonly threshold: number;
  readonly halfLifeMs: number;
  readonly maxPerOwner: number;
  /** Memories that a turn is given, at most. */
  readonly recalled: number;
}

const dayMs = 86_400_000;

export function readMemoryConfig(
  settings: {
    [Name in keyof typeof memorySettings]: number;
  },
): MemoryConfig {
  return {
    threshold: settings.HEADWATER_MEMORY_THRESHOLD,
    halfLifeMs: settings.HEADWATER_MEMORY_HALF_LIFE_DAYS * dayMs,
    maxPerOwner: settings.HEADWATER_MEMORY_MAX_PER_OWNER,
    recalled: settings.HEADWATER_MEMORY_RECALLED,
  };
}
