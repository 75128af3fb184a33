import type { Block } from "../parsers/parsed-document.ts";
import type { Divisible, TokenRange } from "./packing.ts";

/** A text that is ready to be cut. */
export interface ChunkerInput extends Divisible {
  readonly blocks: readonly Block[];
  /** Most tokens of a passage. */
  readonly tokens: number;
  /** Most tokens that a passage repeats of the one before. */
  readonly overlapTokens: number;
}

/** Cuts a text into ranges of tokens that together cover it all, in order. */
export type Chunker = (input: ChunkerInput) => Iterable<TokenRange>;
