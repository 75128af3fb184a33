import { HeadwaterError, status } from "@headwater/errors";
import { choice, integer, text } from "@headwater/settings";
import type { z } from "zod";

/** How a document is cut into passages. `auto` takes the default of the document's media type. */
export const chunkStrategies = ["auto", "window", "sentence", "hierarchical"] as const;
export type ChunkStrategy = (typeof chunkStrategies)[number];

export interface ChunkingSettings {
  /** For types that `strategyByType` does not name. */
  readonly strategy: ChunkStrategy;
  /** Media type without parameters → strategy. */
  readonly strategyByType: Readonly<Record<string, ChunkStrategy>>;
  /** Most tokens of a passage, special tokens not counted. */
  readonly tokens: number;
  /** Tokens that a passage repeats of the one before; below `tokens`. */
  readonly overlapTokens: number;
}

export const chunkingSettings = {
  HEADWATER_CHUNK_STRATEGY: choice(chunkStrategies)
    .default("auto")
    .describe(
      "How documents are cut: window (tokens with overlap), sentence (whole sentences up to the budget), hierarchical (heading, paragraph, sentence), auto (by media type)",
    ),
  HEADWATER_CHUNK_STRATEGY_BY_TYPE: text()
    .default("")
    .transform(parseStrategyByType)
    .describe(
      'Strategies of single media types, such as "text/markdown=hierarchical,application/pdf=sentence"',
    ),
  HEADWATER_CHUNK_TOKENS: integer(16, 8192)
    .default(256)
    .describe(
      "Most tokens of a passage; with title and headings it must fit the model, or its end is not embedded",
    ),
  HEADWATER_CHUNK_OVERLAP_TOKENS: integer(0, 4096)
    .default(64)
    .describe("Tokens that a passage repeats of the one before; at most half of HEADWATER_CHUNK_TOKENS"),
};

type ChunkingValues = z.output<z.ZodObject<typeof chunkingSettings>>;

/**
 * @param values what `readSettings` gave for a shape that holds `chunkingSettings`
 * @throws HeadwaterError FAILED_PRECONDITION, HW_SETTINGS_INVALID, where the overlap leaves too little of a passage
 */
export function readChunkingSettings(values: ChunkingValues): ChunkingSettings {
  const tokens = values.HEADWATER_CHUNK_TOKENS;
  const overlapTokens = values.HEADWATER_CHUNK_OVERLAP_TOKENS;
  // With more than half repeated, the number of passages of a document grows without a gain in recall.
  if (overlapTokens * 2 > tokens) {
    throw new HeadwaterError({
      code: status.FAILED_PRECONDITION,
      reason: "HW_SETTINGS_INVALID",
      message: `HEADWATER_CHUNK_OVERLAP_TOKENS="${overlapTokens}": above half of HEADWATER_CHUNK_TOKENS (${tokens})`,
      action: "Lower the overlap or raise the passage size, and start again.",
    });
  }
  return {
    strategy: values.HEADWATER_CHUNK_STRATEGY,
    strategyByType: values.HEADWATER_CHUNK_STRATEGY_BY_TYPE,
    tokens,
    overlapTokens,
  };
}

function parseStrategyByType(value: string, context: z.RefinementCtx): Record<string, ChunkStrategy> {
  const strategies: Record<string, ChunkStrategy> = {};
  for (const entry of value.split(",")) {
    if (entry.trim() === "") continue;
    const [, type = "", word = ""] = /^\s*([\w.+-]+\/[\w.+-]+)\s*=\s*([\w-]+)\s*$/.exec(entry) ?? [];
    const strategy = chunkStrategies.find((known) => known === word);
    if (strategy) strategies[type.toLowerCase()] = strategy;
    else {
      context.addIssue({
        code: "custom",
        message: `"${entry.trim()}" is not of the form type/subtype=${chunkStrategies.join("|")}`,
      });
    }
  }
  return strategies;
}
