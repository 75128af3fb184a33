const graphemeSegmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/** A half-open range [start, end) of a text, in UTF-16 code units. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * The nearest grapheme border at or before `offset`, so that no emoji, flag or accented letter is cut in two.
 * Offsets outside the text are moved to its ends.
 */
export function graphemeFloor(text: string, offset: number): number {
  const at = Math.min(Math.max(Math.trunc(offset), 0), text.length);
  if (isPlainBorder(text, at)) return at;
  let from = at - 1;
  while (!isPlainBorder(text, from)) from -= 1;
  let to = at + 1;
  while (!isPlainBorder(text, to)) to += 1;
  const segment = graphemeSegmenter.segment(text.slice(from, to)).containing(at - from);
  return from + (segment?.index ?? 0);
}

/**
 * A range moved to grapheme borders. Both ends move towards the start, so ranges that touched still touch, and none
 * reaches past the end it was given. Empty where the range lies within one grapheme.
 */
export function clampToGraphemes(text: string, start: number, end: number): Range {
  const from = graphemeFloor(text, start);
  return { start: from, end: Math.max(from, graphemeFloor(text, end)) };
}

/** Ends of the text, and places between two ASCII characters: borders by any rule of UAX #29 but that for CR LF. */
function isPlainBorder(text: string, offset: number): boolean {
  if (offset <= 0 || offset >= text.length) return true;
  const before = text.charCodeAt(offset - 1);
  const after = text.charCodeAt(offset);
  return before < 0x80 && after < 0x80 && !(before === 0x0d && after === 0x0a);
}
