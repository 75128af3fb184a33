import { breakRank } from "./break-table.ts";
import type { Chunker } from "./chunker.ts";
import { pack } from "./packing.ts";

/** As many tokens as fit, cut between words; each window repeats the last tokens of the one before. */
export const chunkByWindow: Chunker = (input) =>
  pack(input, 0, input.table.count, {
    budget: input.tokens,
    overlap: input.overlapTokens,
    preferences: [],
    // Above every rank: windows overlap wherever the cut falls.
    overlapBelow: breakRank.block + 1,
  });
