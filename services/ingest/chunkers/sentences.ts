import { isSpace } from "../parsers/plain-text.ts";

/**
 * UTF-16 code units that are segmented at once: the time of Intl.Segmenter grows with the square of the text's length
 * (V8 14: 1 MB took 64 s as a whole, 0.2 s in pieces).
 */
const pieceLength = 4096;

const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });

/** Words that end with a full stop and go on; the segmenter takes "Dr. Smith" for two sentences. */
const abbreviation =
  /(?:^|[\s("[])(?:\p{Lu}|Dr|Mr|Mrs|Ms|Prof|St|Sr|Jr|Gen|Col|Lt|Rev|Hon|No|Nos|Fig|Figs|Eq|Eqs|Ref|Refs|Sec|Vol|Ch|pp?|cf|vs|ca|approx|al|e\.g|i\.e|etc|U\.S|U\.K)\.\s+$/u;

/**
 * Places in [start, end) where a sentence begins, `start` itself not among them, in order. A single line break is no
 * sentence end, unless an item of a list follows.
 */
export function* sentenceStarts(text: string, start: number, end: number): Generator<number> {
  let from = start;
  while (from < end) {
    const to = Math.min(end, from + pieceLength);
    let last = from;
    for (const place of startsInPiece(text, from, to)) {
      if (place > from) yield place;
      last = place;
    }
    // The last sentence may go on behind the piece: it is looked at again, as long as that is some way forward.
    from = to === end ? end : last > from ? last : pieceCut(text, from, to);
  }
}

function* startsInPiece(text: string, from: number, to: number): Generator<number> {
  const piece = text.slice(from, to);
  let before = "";
  for (const { segment, index } of segmenter.segment(unwrapped(piece))) {
    if (index > 0 && !abbreviation.test(before.slice(-16))) yield from + index;
    yield* startsWithinSegment(segment, from + index);
    before = segment;
  }
}

/** Spaced full stops, as tokenised corpora have them, and items of lists are no sentence ends to the segmenter. */
function* startsWithinSegment(segment: string, at: number): Generator<number> {
  for (const mark of segment.matchAll(/\s[.?!]\s+(?=\S)|\u2028\s*(?=\S)/g))
    yield at + mark.index + mark[0].length;
}

/** Line breaks as spaces; before an item of a list as a line separator. The length stays as it is. */
function unwrapped(piece: string): string {
  if (!piece.includes("\n")) return piece;
  return piece.replace(/\n(?=[ \t]*(?:[-*•‣▪◦]|\d{1,3}[.)])[ \t])/g, "\u2028").replaceAll("\n", " ");
}

function pieceCut(text: string, from: number, to: number): number {
  for (let at = to; at > from + pieceLength / 2; at--) if (isSpace(text.charCodeAt(at - 1))) return at;
  return to;
}
