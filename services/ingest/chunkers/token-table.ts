import type { Encoding, Tokenizer } from "tokenizers";
import { isSpace } from "../parsers/plain-text.ts";
import { graphemeBoundaryAtOrBefore } from "./graphemes.ts";

/** UTF-16 code units that are tokenised at once. Memory and time stay linear, and the event loop gets its turn. */
const pieceLength = 4096;
/**
 * A token may stand for any number of characters (BERT makes of a word of more than 100 characters one [UNK]), and
 * some characters yield no token at all. To bound a passage's length by its tokens, no token counts for more code
 * units than this, and neither does a gap between two.
 */
const maxTokenLength = 64;

/** Where the tokens of a text begin and end, in UTF-16 code units, in order. */
export interface TokenTable {
  readonly count: number;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

/** @param text well under a megabyte; longer ones are for `tokenize` */
export function encode(text: string, tokenizer: Tokenizer): Promise<Encoding> {
  return tokenizer.encode(text, null, { addSpecialTokens: false });
}

/**
 * Tokenises a text piece by piece. Pieces end at white space, where no tokenizer joins what is on both sides.
 *
 * @param known the encoding of the whole text, where it has been made already
 */
export async function tokenize(text: string, tokenizer: Tokenizer, known?: Encoding): Promise<TokenTable> {
  const table = new GrowingTable();
  for (let from = 0; from < text.length; ) {
    const to = known ? text.length : pieceEnd(text, from);
    const piece = text.slice(from, to);
    const encoding = known ?? (await encode(piece, tokenizer));
    const toUtf16 = codeUnits(piece);
    for (const [start, end] of encoding.getOffsets()) {
      if (start !== undefined && end !== undefined && end > start) {
        table.add(text, from + toUtf16(start), from + toUtf16(end));
      }
    }
    from = to;
  }
  table.fillGap(text, text.length);
  return table.finish();
}

/** Index of the first token that begins at or after a place. */
export function tokenIndexAt(table: TokenTable, place: number): number {
  let low = 0;
  let high = table.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((table.starts[middle] ?? 0) < place) low = middle + 1;
    else high = middle;
  }
  return low;
}

function pieceEnd(text: string, from: number): number {
  const limit = from + pieceLength;
  if (limit >= text.length) return text.length;
  for (let at = limit; at > from + pieceLength / 2; at--) if (isSpace(text.charCodeAt(at - 1))) return at;
  const boundary = graphemeBoundaryAtOrBefore(text, limit);
  return boundary > from ? boundary : limit;
}

/** Hugging Face counts code points. Without surrogates these are code units. */
function codeUnits(piece: string): (codePoint: number) => number {
  if (!/[\ud800-\udfff]/.test(piece)) return (codePoint) => codePoint;
  const units: number[] = [];
  let unit = 0;
  for (const character of piece) {
    units.push(unit);
    unit += character.length;
  }
  units.push(unit);
  return (codePoint) => units[codePoint] ?? unit;
}

/** Two columns that double when they are full: an array of objects would take ten times the memory. */
class GrowingTable {
  #starts = new Uint32Array(1024);
  #ends = new Uint32Array(1024);
  #count = 0;
  #end = 0;

  add(text: string, start: number, end: number): void {
    this.fillGap(text, start);
    this.#addParts(text, start, end);
  }

  /** Makes tokens of what lies between the last token and `place`, where it is long. */
  fillGap(text: string, place: number): void {
    if (place - this.#end > maxTokenLength) this.#addParts(text, this.#end, place);
  }

  finish(): TokenTable {
    return {
      count: this.#count,
      starts: this.#starts.subarray(0, this.#count),
      ends: this.#ends.subarray(0, this.#count),
    };
  }

  #addParts(text: string, start: number, end: number): void {
    let from = start;
    while (end - from > maxTokenLength) {
      const to = graphemeBoundaryAtOrBefore(text, from + maxTokenLength);
      // A cluster longer than a token's bound: the next places may lie behind it.
      this.#push(from, to > from ? to : from + maxTokenLength);
      from = to > from ? to : from + maxTokenLength;
    }
    this.#push(from, end);
  }

  #push(start: number, end: number): void {
    if (this.#count === this.#starts.length) {
      this.#starts = grown(this.#starts);
      this.#ends = grown(this.#ends);
    }
    this.#starts[this.#count] = start;
    this.#ends[this.#count] = end;
    this.#count++;
    this.#end = Math.max(this.#end, end);
  }
}

function grown(column: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(column.length * 2);
  larger.set(column);
  return larger;
}
