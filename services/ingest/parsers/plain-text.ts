import { cleanText } from "./document-builder.ts";
import { emptyDocument, textTooLong } from "./parse-errors.ts";
import type { Block, ParsedDocument } from "./parsed-document.ts";
import type { ParserInput } from "./parser.ts";
import { decodeText } from "./text-decoding.ts";

/** Text stays as it is; blank lines part its paragraphs. */
export function parsePlainText({ content, charset, mediaType, limits }: ParserInput): ParsedDocument {
  const text = cleanText(decodeText(content, charset));
  if (text.length > limits.maxTextLength) throw textTooLong(limits.maxTextLength);
  const blocks = [...paragraphsOf(text)];
  if (blocks.length === 0) throw emptyDocument();
  return { text, title: "", mediaType, blocks };
}

const noHeadings: readonly string[] = [];

/** Ranges between blank lines, without the white space around them. */
export function* paragraphsOf(text: string): Generator<Block> {
  let from = 0;
  while (from < text.length) {
    const gap = nextBlankLine(text, from);
    const start = skipSpace(text, from, gap.start);
    const end = skipSpaceBack(text, start, gap.start);
    if (end > start) yield { kind: "paragraph", start, end, page: 0, headingPath: noHeadings };
    from = gap.end;
  }
}

/** The next place where nothing but white space stands between two line feeds; or a form feed. */
function nextBlankLine(text: string, from: number): { start: number; end: number } {
  let lineFeed = -1;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x0c) return { start: at, end: at + 1 };
    if (code === 0x0a) {
      if (lineFeed >= 0) return { start: lineFeed, end: at + 1 };
      lineFeed = at;
    } else if (code !== 0x20 && code !== 0x09) lineFeed = -1;
  }
  return { start: text.length, end: text.length };
}

function skipSpace(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && isSpace(text.charCodeAt(at))) at++;
  return at;
}

function skipSpaceBack(text: string, from: number, to: number): number {
  let at = to;
  while (at > from && isSpace(text.charCodeAt(at - 1))) at--;
  return at;
}

/** White space as `String.prototype.trim` knows it, the common ones first. */
export function isSpace(code: number): boolean {
  if (code === 0x20 || (code >= 0x09 && code <= 0x0d)) return true;
  if (code < 0xa0) return false;
  return (
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000 ||
    code === 0xfeff
  );
}
