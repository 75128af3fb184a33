import { contentStems, normalize, sentences } from "@headwater/text";
import type { Source } from "./language-model.ts";

/** A sentence of a source that could be part of an answer. */
export interface CandidateSentence {
  readonly source: Source;
  /** Offsets into the source's text. */
  readonly start: number;
  readonly end: number;
  /** On one line, without bracketed numbers that a reader would take for citations. */
  readonly text: string;
  /** Stems of the words that carry a subject. */
  readonly stems: ReadonlySet<string>;
}

/** Code units. Longer ones are cut: an answer is read, not scrolled. */
const maxSentenceLength = 600;
const minStems = 2;
/** Shared stems over the smaller set of the two, beyond which two sentences say the same. */
const sameShare = 0.85;

/**
 * The sentences that could answer: no headings, no questions, no scraps; each text once, from the best source that
 * has it (passages of one document overlap).
 */
export function candidateSentences(sources: readonly Source[]): CandidateSentence[] {
  const seen = new Set<string>();
  return sources.flatMap((source) =>
    sentences(source.text, maxSentenceLength).flatMap(({ start, end, heading }) => {
      const text = readable(source.text.slice(start, end));
      const stems = new Set(contentStems(text));
      const key = normalize(text);
      if (heading || /\?["'”’)\]]*$/.test(text) || stems.size < minStems || seen.has(key)) return [];
      seen.add(key);
      return [{ source, start, end, text, stems }];
    }),
  );
}

/** True where one of the two repeats the other, whole or cut off at the border of a passage. */
export function saySame(a: CandidateSentence, b: CandidateSentence): boolean {
  const smaller = a.stems.size < b.stems.size ? a : b;
  const larger = smaller === a ? b : a;
  let shared = 0;
  for (const stem of smaller.stems) if (larger.stems.has(stem)) shared += 1;
  return shared / smaller.stems.size >= sameShare;
}

/** How a scorer reads it: a row or a sentence of a section may leave its subject to the heading. */
export function withTitle({ source, text }: CandidateSentence): string {
  return source.title === "" ? text : `${source.title}\n${text}`;
}

/** `[12]` would read as a citation of source 12; as `(12)` it keeps its length, so offsets stay true. */
export function withoutCitationMarks(text: string): string {
  return text.replace(/\[(\d[\d\s,;–-]*)\]/g, "($1)");
}

function readable(text: string): string {
  return withoutCitationMarks(text).replace(/\s+/g, " ").trim();
}
