/** A piece of an answer as it leaves: text to append, or a marker within what was appended last. */
export type MarkedPiece =
  | { readonly type: "text"; readonly text: string }
  | {
      readonly type: "marker";
      /** Numbers of the sources, ascending, without repeats. */
      readonly sources: readonly number[];
      /** Where the marker stands in the answer: UTF-16 code units, half-open. */
      readonly start: number;
      readonly end: number;
    };

/** Finds citations in text that arrives in pieces cut anywhere. */
export interface CitationMarkerParser {
  push(text: string): MarkedPiece[];
  /** What was held back because it could have become a marker. */
  end(): MarkedPiece[];
}

/** Longest marker in code units: a model that never closes a bracket must not hold back the stream. */
const maxMarkerLength = 40;
const marker = /^\[\s*\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\s*\]/;
const startOfMarker = /^\[[\d\s,;–-]*$/;
/** White space that goes with a marker that is dropped, and half of a surrogate pair whose other half is to come. */
const openEnd = /[ \t]*[\ud800-\udbff]?$/;

/**
 * Reads `[1]`, `[1, 2]`, `[1-3]` and `[1][2]`. Markers of known sources stay in the text, as `[1][2]`; those that name
 * no source are taken out. A `(` right after a marker is set off by a space, or the two would be a Markdown link that
 * the model made up. However the text is cut into pieces, the result is the same.
 */
export function createCitationMarkerParser(isSource: (number: number) => boolean): CitationMarkerParser {
  let held = "";
  let length = 0;
  let afterMarker = false;

  const emit = (pieces: MarkedPiece[], text: string): void => {
    if (text === "") return;
    const wellFormed = (afterMarker && text.startsWith("(") ? ` ${text}` : text).toWellFormed();
    afterMarker = false;
    length += wellFormed.length;
    pieces.push({ type: "text", text: wellFormed });
  };
  const emitMarker = (pieces: MarkedPiece[], sources: readonly number[]): void => {
    const start = length;
    emit(pieces, sources.map((source) => `[${source}]`).join(""));
    pieces.push({ type: "marker", sources, start, end: length });
    afterMarker = true;
  };

  return {
    push(text) {
      const pieces: MarkedPiece[] = [];
      held += text;
      let scanned = 0;
      while (true) {
        const open = held.indexOf("[", scanned);
        if (open === -1) break;
        const rest = held.slice(open, open + maxMarkerLength);
        const found = marker.exec(rest)?.[0];
        if (found !== undefined) {
          const sources = numbersOf(found).filter(isSource);
          const before = held.slice(0, open);
          emit(pieces, sources.length === 0 ? before.replace(/[ \t]+$/, "") : before);
          if (sources.length > 0) emitMarker(pieces, sources);
          held = held.slice(open + found.length);
          scanned = 0;
        } else if (rest.length < maxMarkerLength && startOfMarker.test(rest)) {
          const keep = open - (openEnd.exec(held.slice(0, open))?.[0].length ?? 0);
          emit(pieces, held.slice(0, keep));
          held = held.slice(keep);
          return pieces;
        } else {
          scanned = open + 1;
        }
      }
      const keep = held.length - (openEnd.exec(held)?.[0].length ?? 0);
      emit(pieces, held.slice(0, keep));
      held = held.slice(keep);
      return pieces;
    },
    end() {
      const pieces: MarkedPiece[] = [];
      emit(pieces, held);
      held = "";
      return pieces;
    },
  };
}

function numbersOf(found: string): number[] {
  const numbers = new Set<number>();
  for (const part of found.slice(1, -1).split(/[,;]/)) {
    const [first = Number.NaN, last = first] = part.split(/[–-]/).map(Number);
    for (let number = first; number <= Math.min(last, first + maxMarkerLength); number += 1)
      numbers.add(number);
  }
  return [...numbers].sort((a, b) => a - b);
}
