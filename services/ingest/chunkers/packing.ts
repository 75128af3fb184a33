import type { BreakTable } from "./break-table.ts";
import { breakRank } from "./break-table.ts";
import { isGraphemeBoundary } from "./graphemes.ts";
import type { TokenTable } from "./token-table.ts";

/** A range of tokens, [first, end). */
export interface TokenRange {
  readonly first: number;
  readonly end: number;
}

/** A text with its tokens and the places to cut it. */
export interface Divisible {
  readonly text: string;
  readonly table: TokenTable;
  readonly breaks: BreakTable;
}

export interface PackingOptions {
  /** Most tokens of a range. A grapheme cluster that has more by itself is kept whole. */
  readonly budget: number;
  /** Most tokens that a range repeats of the one before. */
  readonly overlap: number;
  /**
   * Lowest rank of a cut, and the share of the budget that a range must have to end there; tried in order. Where none
   * fits, the cut falls between words, or inside one that is longer than a range.
   */
  readonly preferences: readonly { readonly rank: number; readonly share: number }[];
  /** Cuts of this rank and higher tear nothing apart, so nothing is repeated behind them. */
  readonly overlapBelow: number;
}

/** A cut between words is looked for so many tokens back before one inside a word is taken (text without spaces). */
const wordSearch = 16;

/** Packs tokens [first, end) greedily into ranges. Ranges cover all tokens; each ends behind the one before. */
export function* pack(
  divisible: Divisible,
  first: number,
  end: number,
  options: PackingOptions,
): Generator<TokenRange> {
  let start = first;
  let done = first;
  while (done < end) {
    const cut = end - start <= options.budget ? end : chooseCut(divisible, start, done, end, options);
    yield { first: start, end: cut };
    done = cut;
    start = overlapStart(divisible, start, cut, options);
  }
}

/** The best cut in (done, start + budget]. */
function chooseCut(
  divisible: Divisible,
  start: number,
  done: number,
  end: number,
  { budget, preferences }: PackingOptions,
): number {
  const furthest = start + budget;
  for (const { rank, share } of preferences) {
    const cut = lastBreak(divisible, Math.max(done + 1, start + Math.ceil(budget * share)), furthest, rank);
    if (cut !== undefined) return cut;
  }
  return (
    lastBreak(divisible, Math.max(done + 1, furthest - wordSearch), furthest, breakRank.word) ??
    lastBreak(divisible, done + 1, furthest, breakRank.insideWord) ??
    firstBreak(divisible, furthest + 1, end, breakRank.insideWord) ??
    end
  );
}

/** Where the next range begins: at `cut`, or before it by up to `overlap` tokens, at a break as good as the cut's. */
function overlapStart(
  divisible: Divisible,
  start: number,
  cut: number,
  { overlap, overlapBelow }: PackingOptions,
): number {
  const cutRank = divisible.breaks[cut] ?? breakRank.block;
  if (overlap === 0 || cutRank >= overlapBelow) return cut;
  const least = Math.max(start + 1, cut - overlap);
  const bySentence = cutRank >= breakRank.sentence && overlapBelow > breakRank.sentence;
  if (bySentence) return firstBreak(divisible, least, cut, breakRank.sentence) ?? cut;
  return (
    firstBreak(divisible, least, Math.min(cut, least + wordSearch), breakRank.word) ??
    firstBreak(divisible, least, cut, breakRank.insideWord) ??
    cut
  );
}

function lastBreak(divisible: Divisible, least: number, most: number, rank: number): number | undefined {
  for (let token = most; token >= least; token--) if (isBreak(divisible, token, rank)) return token;
  return undefined;
}

function firstBreak(divisible: Divisible, least: number, most: number, rank: number): number | undefined {
  for (let token = least; token < most; token++) if (isBreak(divisible, token, rank)) return token;
  return undefined;
}

function isBreak({ text, table, breaks }: Divisible, token: number, rank: number): boolean {
  return (breaks[token] ?? 0) >= rank && isGraphemeBoundary(text, table.starts[token] ?? text.length);
}
