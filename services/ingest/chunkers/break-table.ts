import type { Block, ParsedDocument } from "../parsers/parsed-document.ts";
import { isSpace } from "../parsers/plain-text.ts";
import { sentenceStarts } from "./sentences.ts";
import type { TokenTable } from "./token-table.ts";

/** How good a place is to cut a text, the higher the better. */
export const breakRank = { none: 0, insideWord: 1, word: 2, sentence: 3, block: 4 } as const;

/** Rank of a cut before each token; one more entry than there are tokens. */
export type BreakTable = Uint8Array;

/** Grapheme clusters are not looked at here: that is done for the few places that are chosen. */
export function rankBreaks(document: ParsedDocument, table: TokenTable): BreakTable {
  const { text, blocks } = document;
  const ranks = new Uint8Array(table.count + 1);
  rankWords(text, table, ranks);
  let token = 0;
  const raise = (place: number, rank: number) => {
    while (token < table.count && (table.starts[token] ?? 0) < place) token++;
    // Where two tokens share a character, there is no cut between them.
    if ((ranks[token] ?? 0) > breakRank.none) ranks[token] = Math.max(ranks[token] ?? 0, rank);
  };
  let above: Block | undefined;
  for (const block of blocks) {
    // A heading is not parted from what it stands above.
    raise(block.start, above?.kind === "heading" ? breakRank.word : breakRank.block);
    for (const place of innerBreaks(text, block)) raise(place, breakRank.sentence);
    above = block;
  }
  ranks[0] = breakRank.block;
  ranks[table.count] = breakRank.block;
  return ranks;
}

function rankWords(text: string, { count, starts, ends }: TokenTable, ranks: Uint8Array): void {
  let previousEnd = 0;
  for (let token = 0; token < count; token++) {
    const start = starts[token] ?? 0;
    if (start >= previousEnd) {
      const spaced = isSpace(text.charCodeAt(start - 1)) || isSpace(text.charCodeAt(start));
      ranks[token] = spaced ? breakRank.word : breakRank.insideWord;
    }
    previousEnd = ends[token] ?? 0;
  }
}

/** Sentences of prose; lines of code and of records. */
function innerBreaks(text: string, block: Block): Generator<number> {
  return block.kind === "code" || block.kind === "row"
    ? lineStarts(text, block.start, block.end)
    : sentenceStarts(text, block.start, block.end);
}

function* lineStarts(text: string, start: number, end: number): Generator<number> {
  for (let at = text.indexOf("\n", start); at >= 0 && at < end; at = text.indexOf("\n", at + 1)) yield at + 1;
}
