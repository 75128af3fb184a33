import { clampToGraphemes, estimateTokens } from "@headwater/text";
import { neutralize } from "../answer/prompt.ts";

/** What a tool said, as a model may read it. */
export interface Quotation {
  /** Neutralized and cut; for people as well. */
  readonly text: string;
  readonly truncated: boolean;
}

/** Cuts at a budget of tokens, at a border of graphemes, and says that it did. */
export function cutToTokens(text: string, tokens: number): Quotation {
  if (estimateTokens(text) <= tokens) return { text, truncated: false };
  let fits = 0;
  let beyond = text.length;
  while (beyond - fits > 1) {
    const middle = (fits + beyond) >> 1;
    if (estimateTokens(text.slice(0, middle)) <= tokens) fits = middle;
    else beyond = middle;
  }
  const { end } = clampToGraphemes(text, 0, fits);
  return { text: text.slice(0, end), truncated: true };
}

/**
 * What comes from a tool or from memory, as data: each line is marked with "> ", between boundaries with a number that
 * nobody outside can know, and what could be read as anything but text is taken out (see `neutralize`).
 *
 * @param what "RESULT" or "MEMORY", and what tells one from another
 */
export function quoteAsData(what: string, text: string, boundary: string): string {
  const quoted = neutralize(text)
    .trim()
    .split("\n")
    .map((line) => `> ${line}`.trimEnd())
    .join("\n");
  return `<<<${what} ${boundary}>>>\n${quoted}\n<<<END ${what} ${boundary}>>>`;
}
