import type { Range } from "@headwater/text";
import { sentences } from "@headwater/text";

/** A part of the answer and the sources that it cites. */
export interface Claim extends Range {
  readonly sources: readonly number[];
  /** The part itself. */
  readonly text: string;
}

/** Finds what each citation marker of an answer stands for, while the answer grows. */
export interface ClaimFinder {
  readonly text: string;
  append(text: string): void;
  /** A marker at [start, end) of the text. Gives the claims that are whole now. */
  mark(sources: readonly number[], start: number, end: number): Claim[];
  /** Claims of markers that had nothing before them and waited for the text after. */
  end(): Claim[];
}

const word = /[\p{L}\p{N}]/u;
/** What leads over to a source rather than saying something. */
const leadIn =
  /^(?:according to|as (?:stated|noted|described|shown|reported) (?:in|by)|sources?|per|in|from|see)$/i;
const leadingMarks = /^[\s.,;:!?)\]}"'”’*_–—-]+/u;

/**
 * A marker stands for the sentence before it, or for what of that sentence comes after the marker before; markers side
 * by side stand for the same. One at the very start of a sentence ("[1] says that …") stands for that sentence.
 */
export function createClaimFinder(): ClaimFinder {
  let text = "";
  let afterMarker = 0;
  let last: Range | undefined;
  let waiting: { sources: readonly number[]; from: number }[] = [];

  const claim = (sources: readonly number[], range: Range): Claim => ({
    sources,
    start: range.start,
    end: range.end,
    text: text.slice(range.start, range.end),
  });
  const settle = (to: number): Claim[] => {
    const settled = waiting.flatMap(({ sources, from }) => {
      const first = spans(text, from, to)[0];
      return first ? [claim(sources, first)] : [];
    });
    if (to > afterMarker && word.test(text.slice(afterMarker, to))) waiting = [];
    return settled;
  };

  return {
    get text() {
      return text;
    },
    append(piece) {
      text += piece;
    },
    mark(sources, start, end) {
      const settled = settle(start);
      const between = spans(text, afterMarker, start);
      const before = between.at(-1);
      const newLine = /\n\s*$/.test(text.slice(afterMarker, start));
      if (before) last = leadIn.test(text.slice(before.start, before.end)) ? undefined : before;
      else if (newLine || waiting.length > 0) last = undefined;
      afterMarker = end;
      if (last) return [...settled, claim(sources, last)];
      waiting.push({ sources, from: end });
      return settled;
    },
    end() {
      return settle(text.length);
    },
  };
}

/** The sentences of a stretch of the answer, without the marks that lead over from a marker. */
function spans(text: string, from: number, to: number): Range[] {
  return sentences(text.slice(from, to), Number.POSITIVE_INFINITY).flatMap(({ start, end }) => {
    const sentence = text.slice(from + start, from + end);
    const lead = leadingMarks.exec(sentence)?.[0].length ?? 0;
    const range = { start: from + start + lead, end: from + end };
    return word.test(text.slice(range.start, range.end)) ? [range] : [];
  });
}
