import type { Range } from "./route.ts";

/** What of a citation decides how the answer is shown. */
export interface CitationLike {
  /** Place in the list of passages, from 1. */
  readonly source: number;
  readonly claim: Range;
  /** How well the evidence supports the claim, 0 to 1. */
  readonly support: number;
}

/** A source that is set into the text. */
export interface Chip<Citation> {
  readonly source: number;
  /** Undefined while the evidence has not come, or where the text names a source without any. */
  readonly citation: Citation | undefined;
}

/** A run of an answer, and the sources that are set after it. */
export interface AnswerPart<Citation> {
  /** Where the run starts in the answer. */
  readonly start: number;
  /** Without the markers, which the chips stand for. */
  readonly text: string;
  /** Claims that the run belongs to, so that a citation can show what it supports. */
  readonly claims: readonly Citation[];
  readonly chips: readonly Chip<Citation>[];
}

interface Marker extends Range {
  readonly source: number;
}

/**
 * Cuts an answer where claims begin and end, and puts a chip for each marker `[n]` in the text; a citation without a
 * marker has its chip where its claim ends. A claim that reaches beyond what has been streamed ends where the text does.
 * @param sources how many passages there are: other numbers in brackets are text
 */
export function answerParts<Citation extends CitationLike>(
  text: string,
  citations: readonly Citation[],
  sources: number,
): AnswerPart<Citation>[] {
  const markers = markersOf(text, sources);
  const clamped = citations.map((citation) => ({
    citation,
    start: Math.min(citation.claim.start, text.length),
    end: Math.min(citation.claim.end, text.length),
  }));
  const named = new Set(markers.map(({ source }) => source));
  const borders = new Set([0, text.length]);
  for (const { start, end } of [...clamped, ...markers]) borders.add(start).add(end);
  const sorted = [...borders].sort((a, b) => a - b);
  return sorted.slice(0, -1).map((start, index) => {
    const end = sorted[index + 1] ?? text.length;
    const marker = markers.find((range) => range.start <= start && end <= range.end);
    const unnamed = clamped.filter((claim) => claim.end === end && !named.has(claim.citation.source));
    return {
      start,
      text: marker ? "" : text.slice(start, end),
      claims: clamped.filter((claim) => claim.start <= start && claim.end >= end).map((it) => it.citation),
      chips: [
        ...(marker?.end === end ? [{ source: marker.source, citation: evidenceOf(marker, citations) }] : []),
        ...bestOfSources(unnamed.map(({ citation }) => citation)),
      ],
    };
  });
}

/** With the space before it, since a chip keeps its own distance. */
function markersOf(text: string, sources: number): Marker[] {
  return [...text.matchAll(/ ?\[(\d{1,3})\]/g)].flatMap(({ index, 0: found, 1: number }) => {
    const source = Number(number);
    return source >= 1 && source <= sources ? [{ source, start: index, end: index + found.length }] : [];
  });
}

/** A marker stands for the claim before it, or, at the start of a sentence, for the one after it. */
function evidenceOf<Citation extends CitationLike>(
  { source, start, end }: Marker,
  citations: readonly Citation[],
): Citation | undefined {
  const own = citations.filter((citation) => citation.source === source);
  const [before] = own
    .filter(({ claim }) => claim.end <= end)
    .sort((a, b) => b.claim.end - a.claim.end || b.support - a.support);
  return before ?? own.find(({ claim }) => claim.start <= start || claim.start >= end);
}

/** One chip a source, however many of its sentences support the claim: the best one stands for all. */
function bestOfSources<Citation extends CitationLike>(citations: readonly Citation[]): Chip<Citation>[] {
  const best = new Map<number, Citation>();
  for (const citation of [...citations].sort((a, b) => b.support - a.support))
    if (!best.has(citation.source)) best.set(citation.source, citation);
  return [...best].map(([source, citation]) => ({ source, citation }));
}

/** Numbers for sources in the order in which the answer first names them, from 1. */
export function numberSources(parts: readonly AnswerPart<unknown>[]): Map<number, number> {
  const numbers = new Map<number, number>();
  for (const { source } of parts.flatMap(({ chips }) => chips))
    if (!numbers.has(source)) numbers.set(source, numbers.size + 1);
  return numbers;
}

export interface CitedSource {
  readonly number: number;
  readonly title: string;
  readonly place: string;
  readonly address: string;
  readonly quotes: readonly string[];
}

/** An answer as plain text for the clipboard: numbers in brackets, then the sources with what they say. */
export function answerAsText(
  parts: readonly AnswerPart<unknown>[],
  numbers: ReadonlyMap<number, number>,
  sources: readonly CitedSource[],
): string {
  const text = parts
    .map(({ text, chips }) => {
      const cited = [...new Set(chips.map(({ source }) => numbers.get(source) ?? source))];
      return cited.length === 0 ? text : `${text} [${cited.join("][")}]`;
    })
    .join("")
    .replaceAll("] [", "][");
  if (sources.length === 0) return text;
  const list = sources.map(({ number, title, place, address, quotes }) =>
    [
      `[${number}] ${title}${place && `, ${place}`} (${address})`,
      ...quotes.map((quote) => `    “${quote}”`),
    ].join("\n"),
  );
  return `${text}\n\nSources\n${list.join("\n")}`;
}
