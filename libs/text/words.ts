import { stem as porter2 } from "porter2";
import type { Range } from "./graphemes.ts";
import { stopWords } from "./stop-words.ts";

/** A word and where it stands. */
export interface Word extends Range {
  /** `normalize` of the word as it is written. */
  readonly text: string;
}

const wordSegmenter = new Intl.Segmenter("en", { granularity: "word" });
const combiningMarks = /[\u0300-\u036f]/g;
const plainWord = /^[a-z']+$/;

/** One form for all spellings of a word: compatibility forms, case and Latin accents are levelled. */
export function normalize(text: string): string {
  return text
    .normalize("NFKD")
    .replace(combiningMarks, "")
    .normalize("NFC")
    .toLowerCase()
    .replaceAll("’", "'");
}

/** The words of a text in order, by UAX #29 and, for scripts without spaces, ICU's dictionaries. */
export function words(text: string): Word[] {
  const found: Word[] = [];
  for (const { segment, index, isWordLike } of wordSegmenter.segment(text)) {
    if (isWordLike) found.push({ start: index, end: index + segment.length, text: normalize(segment) });
  }
  return found;
}

/** The stem of a normalised English word (Porter's second algorithm); words of other scripts stay as they are. */
export function stem(word: string): string {
  return plainWord.test(word) ? porter2(word) : word;
}

/** True of normalised English words that carry no subject, such as "the" and "which". */
export function isStopWord(word: string): boolean {
  return stopWords.has(word);
}

/** Stems of the words that carry a subject, in order, with repeats. */
export function contentStems(text: string): string[] {
  return words(text).flatMap((word) => (isStopWord(word.text) ? [] : [stem(word.text)]));
}
