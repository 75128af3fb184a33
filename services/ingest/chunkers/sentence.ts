import { breakRank } from "./break-table.ts";
import type { Chunker } from "./chunker.ts";
import { pack } from "./packing.ts";

/** As many whole sentences as fit; each passage repeats the last sentences of the one before. */
export const chunkBySentence: Chunker = (input) =>
  pack(input, 0, input.table.count, {
    budget: input.tokens,
    overlap: input.overlapTokens,
    // A sentence that would leave most of a passage empty is rather cut.
    preferences: [{ rank: breakRank.sentence, share: 1 / 3 }],
    overlapBelow: breakRank.block + 1,
  });
