import type { Block } from "../parsers/parsed-document.ts";
import { breakRank } from "./break-table.ts";
import type { Chunker, ChunkerInput } from "./chunker.ts";
import type { PackingOptions, TokenRange } from "./packing.ts";
import { pack } from "./packing.ts";
import { tokenIndexAt } from "./token-table.ts";

/** A section with less than this share of a passage is joined with the sections beside it. */
const smallShare = 1 / 4;

/**
 * Along the headings: the largest sections that fit into a passage stay whole, small ones are joined with their
 * neighbours under the same heading, and large ones are cut between paragraphs, then sentences, then words. Only where
 * a paragraph is cut does a passage repeat the end of the one before.
 */
export const chunkByHierarchy: Chunker = (input) => {
  const outline = new Outline(input);
  return chunkSection(input, outline, { first: 0, end: input.blocks.length }, 0);
};

/** A range of blocks. */
interface BlockRange {
  readonly first: number;
  readonly end: number;
}

/** Where blocks begin, in tokens. */
class Outline {
  readonly #starts: Uint32Array;

  constructor({ blocks, table }: ChunkerInput) {
    this.#starts = new Uint32Array(blocks.length + 1);
    blocks.forEach((block, index) => {
      this.#starts[index] = index === 0 ? 0 : tokenIndexAt(table, block.start);
    });
    this.#starts[blocks.length] = table.count;
  }

  tokensOf(range: BlockRange): TokenRange {
    return { first: this.#starts[range.first] ?? 0, end: this.#starts[range.end] ?? 0 };
  }
}

function* chunkSection(
  input: ChunkerInput,
  outline: Outline,
  section: BlockRange,
  depth: number,
): Generator<TokenRange> {
  const tokens = outline.tokensOf(section);
  const parts = tokens.end - tokens.first <= input.tokens ? [section] : partsOf(input.blocks, section, depth);
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) {
    const isLeaf = only === section || !hasSubsections(input.blocks, only, depth);
    if (isLeaf) yield* packSection(input, tokens);
    else yield* chunkSection(input, outline, only, depth + 1);
    return;
  }
  for (const group of joinSmall(parts, input, outline)) {
    const groupTokens = outline.tokensOf(group);
    if (groupTokens.end - groupTokens.first <= input.tokens) yield* packSection(input, groupTokens);
    else yield* chunkSection(input, outline, group, depth + 1);
  }
}

function hasSubsections(blocks: readonly Block[], section: BlockRange, depth: number): boolean {
  for (let at = section.first; at < section.end; at++) {
    if ((blocks[at]?.headingPath.length ?? 0) > depth) return true;
  }
  return false;
}

/** The section's own text, and each of its subsections; headings that have no own text go with what follows. */
function partsOf(blocks: readonly Block[], section: BlockRange, depth: number): BlockRange[] {
  const parts: BlockRange[] = [];
  let first = section.first;
  for (let at = section.first + 1; at < section.end; at++) {
    if (!startsPart(blocks[at], blocks[at - 1], depth) || isAllHeadings(blocks, first, at)) continue;
    parts.push({ first, end: at });
    first = at;
  }
  parts.push({ first, end: section.end });
  return parts;
}

function startsPart(block: Block | undefined, above: Block | undefined, depth: number): boolean {
  const heading = block?.headingPath[depth];
  if (heading === undefined) return above?.headingPath[depth] !== undefined;
  const opens = block?.kind === "heading" && block.headingPath.length === depth + 1;
  return opens || heading !== above?.headingPath[depth];
}

function isAllHeadings(blocks: readonly Block[], first: number, end: number): boolean {
  for (let at = first; at < end; at++) if (blocks[at]?.kind !== "heading") return false;
  return true;
}

/** Joins neighbours as long as one of the two is small and both fit into a passage. */
function joinSmall(parts: readonly BlockRange[], input: ChunkerInput, outline: Outline): BlockRange[] {
  const size = (range: BlockRange) => {
    const { first, end } = outline.tokensOf(range);
    return end - first;
  };
  const small = input.tokens * smallShare;
  const joined: BlockRange[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    const both = last === undefined ? undefined : { first: last.first, end: part.end };
    if (
      last !== undefined &&
      both !== undefined &&
      size(both) <= input.tokens &&
      (size(last) < small || size(part) < small)
    ) {
      joined[joined.length - 1] = both;
    } else joined.push(part);
  }
  return joined;
}

function packSection(input: ChunkerInput, { first, end }: TokenRange): Generator<TokenRange> {
  const options: PackingOptions = {
    budget: input.tokens,
    overlap: input.overlapTokens,
    preferences: [
      { rank: breakRank.block, share: 1 / 2 },
      { rank: breakRank.sentence, share: 1 / 3 },
    ],
    overlapBelow: breakRank.block,
  };
  return pack(input, first, end, options);
}
