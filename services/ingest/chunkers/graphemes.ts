/**
 * UTF-16 code units that are looked at before a place to find the grapheme around it. Unicode holds that no text of
 * any language has more than 30 combining marks in a row (UAX #15, Stream-Safe Text Format), so a longer cluster is
 * noise; one that begins further back is cut between code points.
 */
const lookBehind = 4096;

const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });

/** True where a cut at `at` leaves whole the grapheme clusters (UAX #29) on both sides. */
export function isGraphemeBoundary(text: string, at: number): boolean {
  return graphemeBoundaryAtOrBefore(text, at) === at;
}

/** The last place up to `at` where no grapheme cluster is cut. Looks at no more than a few kilobytes. */
export function graphemeBoundaryAtOrBefore(text: string, at: number): number {
  if (at <= 0) return 0;
  if (at >= text.length) return text.length;
  if (isPlainBoundary(text, at)) return at;
  const from = safeStart(text, at);
  // Two more units, so that a surrogate pair that begins at `at` is seen as a whole.
  const cluster = segmenter.segment(text.slice(from, at + 2)).containing(at - from);
  const boundary = from + (cluster?.index ?? 0);
  if (boundary > from || from === 0 || isPlainBoundary(text, from)) return boundary;
  return isLowSurrogate(text.charCodeAt(at)) ? at - 1 : at;
}

/** Below U+0300 nothing joins with its neighbour but CR with LF: nearly all cuts are settled here. */
function isPlainBoundary(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1);
  const after = text.charCodeAt(at);
  return before < 0x300 && after < 0x300 && !(before === 0x0d && after === 0x0a);
}

/** A place before `at` that is a boundary for certain; where there is none near, one that cuts no code point. */
function safeStart(text: string, at: number): number {
  const least = Math.max(0, at - lookBehind);
  for (let start = at - 1; start > least; start--) if (isPlainBoundary(text, start)) return start;
  return isLowSurrogate(text.charCodeAt(least)) ? least + 1 : least;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
