import type { TextRange } from "@headwater/proto/services/headwater/v1/common";
import { clampToGraphemes, isStopWord, stem, words } from "@headwater/text";

/** Finds the words of a query in texts, by their stems, as the lexical index does. */
export class Highlighter {
  readonly #stems: ReadonlySet<string>;

  constructor(query: string) {
    const all = words(query).map(({ text }) => text);
    const content = all.filter((word) => !isStopWord(word));
    this.#stems = new Set((content.length > 0 ? content : all).map(stem));
  }

  /** Ranges in UTF-16 code units, in order, not overlapping, at borders of graphemes. */
  find(text: string): TextRange[] {
    const ranges: TextRange[] = [];
    if (this.#stems.size === 0) return ranges;
    for (const word of words(text)) {
      if (!this.#stems.has(stem(word.text))) continue;
      const range = clampToGraphemes(text, word.start, word.end);
      if (range.end > range.start) ranges.push(range);
    }
    return ranges;
  }
}
