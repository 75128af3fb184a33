import { endsInAbbreviation } from "./abbreviations.ts";
import type { Block } from "./blocks.ts";
import { blocks } from "./blocks.ts";
import type { Range } from "./graphemes.ts";
import { graphemeFloor } from "./graphemes.ts";

/** Where a sentence stands: no white space around it, no list mark or heading mark before it. */
export interface Sentence extends Range {
  /** True: it names what follows rather than saying something. */
  readonly heading: boolean;
}

const sentenceSegmenter = new Intl.Segmenter("en", { granularity: "sentence" });
/** A full stop between two spaces ends a sentence whatever follows; tokenised corpora are written like that. */
const loneStop = /(?<=\s)[.!?](?=\s)/g;
/** In text without capitals a full stop after a word of two letters or more does. */
const uncasedStop = /(?<=[\p{L}\p{N}][\p{L}\p{N})\]"'”’])[.!?]["'”’)\]]*(?=\s)/gu;
/** A question or exclamation that goes on: “Really?” he said. */
const quotedSpeech = /[?!]["'”’)\]]+\s*$/;
const clauseEnd = /[;:,\s](?=\S*$)/;

/**
 * The sentences of a text, in order and not overlapping. Lines that were wrapped are joined, paragraphs, list items
 * and headings are not; abbreviations, initials and decimals do not end a sentence.
 *
 * @param maxLength UTF-16 code units; a longer sentence (a table, a log line) is cut between clauses or words
 */
export function sentences(text: string, maxLength = 1000): Sentence[] {
  return blocks(text).flatMap((block) =>
    splitBlock(block)
      .flatMap((range) => cut(text, range, maxLength))
      .map(({ start, end }) => ({ start, end, heading: block.heading })),
  );
}

function splitBlock(block: Block): Range[] {
  if (block.heading) return [{ start: block.start, end: block.end }];
  const pieces = [...sentenceSegmenter.segment(block.text)].flatMap(({ segment, index }) =>
    splitAtStops(segment, index),
  );
  const joined: Range[] = [];
  let start: number | undefined;
  for (const [at, piece] of pieces.entries()) {
    start ??= piece.start;
    const next = pieces[at + 1];
    if (next && continues(block.text.slice(start, piece.end), block.text.slice(next.start, next.end)))
      continue;
    joined.push({ start, end: piece.end });
    start = undefined;
  }
  return joined.flatMap((range) => trimmed(block, range));
}

function splitAtStops(segment: string, index: number): Range[] {
  const stops = /\p{Lu}/u.test(segment) ? [loneStop] : [loneStop, uncasedStop];
  const ends = stops
    .flatMap((pattern) => [...segment.matchAll(pattern)].map((match) => match.index + match[0].length))
    .filter((end) => !endsInAbbreviation(segment.slice(0, end), segment.slice(end).trimStart()))
    .sort((a, b) => a - b);
  const borders = [0, ...ends, segment.length];
  return borders.slice(1).flatMap((end, at) => {
    const start = borders[at] ?? 0;
    return segment.slice(start, end).trim() === "" ? [] : [{ start: index + start, end: index + end }];
  });
}

/** True where the segmenter broke a sentence that goes on. */
function continues(text: string, next: string): boolean {
  if (quotedSpeech.test(text) && /^\p{Ll}/u.test(next)) return true;
  return endsInAbbreviation(text.trimEnd(), next);
}

function trimmed(block: Block, range: Range): Range[] {
  const text = block.text.slice(range.start, range.end);
  const start = block.start + range.start + (text.length - text.trimStart().length);
  const end = block.start + range.start + text.trimEnd().length;
  return start < end ? [{ start, end }] : [];
}

function cut(text: string, range: Range, maxLength: number): Range[] {
  const pieces: Range[] = [];
  let { start } = range;
  while (range.end - start > maxLength) {
    const window = text.slice(start, start + maxLength);
    const clause = clauseEnd.exec(window);
    const cutAt = clause && clause.index > maxLength / 2 ? start + clause.index + 1 : start + maxLength;
    const end = Math.max(graphemeFloor(text, cutAt), start + 1);
    pieces.push(...trimmed({ text, start: 0, end: text.length, heading: false }, { start, end }));
    start = end;
  }
  return [
    ...pieces,
    ...trimmed({ text, start: 0, end: text.length, heading: false }, { start, end: range.end }),
  ];
}
