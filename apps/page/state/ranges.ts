import type { Range } from "./route.ts";

/** A run of text that is marked or not. */
export interface Segment {
  readonly text: string;
  /** Where the run starts, in the same offsets as the ranges. */
  readonly start: number;
  readonly marked: boolean;
}

/**
 * Cuts a text at the borders of ranges. Ranges may overlap, be out of order or reach beyond the text.
 * @param offset where `text` starts, in the offsets of `ranges`
 */
export function segmentsOf(text: string, ranges: readonly Range[], offset = 0): Segment[] {
  const segments: Segment[] = [];
  let position = 0;
  const push = (end: number, marked: boolean) => {
    if (end > position) segments.push({ text: text.slice(position, end), start: offset + position, marked });
    position = Math.max(position, end);
  };
  for (const { start, end } of mergeRanges(ranges)) {
    push(Math.min(Math.max(start - offset, 0), text.length), false);
    push(Math.min(Math.max(end - offset, 0), text.length), true);
  }
  push(text.length, false);
  return segments;
}

/** In order, without empty ones, those that overlap or touch joined. */
export function mergeRanges(ranges: readonly Range[]): Range[] {
  const merged: Range[] = [];
  for (const range of ranges.filter(({ start, end }) => end > start).sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last && range.start <= last.end)
      merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, range.end) };
    else merged.push({ start: range.start, end: range.end });
  }
  return merged;
}

/**
 * The part of a passage that a hit shows: the stretch of at most `length` code units that holds most highlights,
 * beginning a few words before the first of them, cut between words.
 */
export function excerptOf(text: string, highlights: readonly Range[], length: number): Range {
  if (text.length <= length) return { start: 0, end: text.length };
  let best = { start: 0, score: -1 };
  for (const first of [{ start: 0 }, ...highlights]) {
    const start = Math.max(0, first.start - 48);
    const score = highlights.filter((range) => range.start >= start && range.end <= start + length).length;
    if (score > best.score) best = { start, score };
  }
  const start = best.start === 0 ? 0 : afterSpace(text, Math.min(best.start, text.length - length));
  const end = start + length >= text.length ? text.length : beforeSpace(text, start + length);
  return { start, end };
}

function afterSpace(text: string, from: number): number {
  const found = text.slice(from, from + 40).search(/\s/);
  return found < 0 ? wholeCharacter(text, from) : from + found + 1;
}

function beforeSpace(text: string, to: number): number {
  const found = /\s+\S*$/.exec(text.slice(to - 40, to));
  return found ? to - 40 + found.index : wholeCharacter(text, to);
}

/** Moves off the middle of a surrogate pair. */
function wholeCharacter(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}
