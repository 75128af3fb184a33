import type { Range } from "./graphemes.ts";

/** A paragraph, a list item, a heading or a row: what a sentence never reaches beyond. */
export interface Block extends Range {
  /** The block with its wrapped lines joined by spaces; as long as the range, so offsets stay true. */
  readonly text: string;
  readonly heading: boolean;
}

interface Line extends Range {
  readonly text: string;
  /** Stands after a list mark or a heading mark, which is not part of it. */
  readonly marked: boolean;
  readonly heading: boolean;
}

const mark = /^[ \t]*(?:(?<heading>#{1,6})[ \t]+|[-*+•‣◦▪–][ \t]+|(?=\(?(?:\d{1,3}|[a-z])[.)][ \t]+\S))/;
const ruler = /^[ \t]*(?:[-=_*~]{3,}|[|+][-|+: \t]+)[ \t]*$/;
const terminal = /[.!?…。！？:;,]["'”’)\]]*\s*$/u;
/** "Area: 103,000 sq km" says something, as short as it is. */
const labelled = /^[^:]{1,60}:\s+\S/;
const maxHeadingWords = 12;
/** A wrapped line is full: the next word would have reached this share of the longest line. */
const fullLine = 0.8;
/** Of a paragraph's lines so many must be full before any of them counts as wrapped. */
const wrappedShare = 0.65;
const minWrapWidth = 30;

export function blocks(text: string): Block[] {
  return paragraphs(text).flatMap((paragraph, _, all) => {
    const wrapped = isWrapped(paragraph);
    const groups: Line[][] = [];
    for (const line of paragraph) {
      const group = groups.at(-1);
      const before = group?.at(-1);
      if (group && before && !line.marked && !before.heading && joins(before, line, wrapped))
        group.push(line);
      else groups.push([line]);
    }
    return groups.map((lines) => toBlock(text, lines, groups.length === 1 && all.length > 1));
  });
}

/** Lines between blank lines and rulers. */
function paragraphs(text: string): Line[][] {
  const found: Line[][] = [[]];
  for (const match of text.matchAll(/[^\r\n\u2028\u2029\f]+|\r\n?|[\n\u2028\u2029\f]/g)) {
    const line = match[0];
    if (/^[\r\n\u2028\u2029\f]/.test(line)) {
      const at = match.index;
      const before = text.slice(Math.max(0, at - 1), at);
      if (before === "" || /[\r\n\u2028\u2029\f]/.test(before) || line === "\f") found.push([]);
    } else if (line.trim() === "" || ruler.test(line)) {
      found.push([]);
    } else {
      const prefix = mark.exec(line);
      const start = match.index + (prefix?.[0].length ?? 0);
      found.at(-1)?.push({
        start,
        end: match.index + line.length,
        text: line.slice(prefix?.[0].length ?? 0),
        marked: prefix !== null,
        heading: prefix?.groups?.["heading"] !== undefined,
      });
    }
  }
  return found.filter((lines) => lines.length > 0);
}

function joins(before: Line, line: Line, wrapped: boolean): boolean {
  if (/^\s*\p{Ll}/u.test(line.text) && !terminal.test(before.text)) return true;
  return wrapped;
}

/** Whether a paragraph's line ends come from wrapping, seen from whether its lines are full. */
function isWrapped(lines: readonly Line[]): boolean {
  const width = Math.max(...lines.map((line) => line.text.trimEnd().length));
  if (width < minWrapWidth) return false;
  let full = 0;
  let borders = 0;
  for (const [at, line] of lines.entries()) {
    const next = lines[at + 1];
    if (!next || next.marked) continue;
    borders += 1;
    const word = /\S+/.exec(next.text)?.[0] ?? "";
    if (line.text.trimEnd().length + 1 + word.length >= fullLine * width) full += 1;
  }
  return borders > 0 && full / borders >= wrappedShare;
}

function toBlock(text: string, lines: readonly Line[], alone: boolean): Block {
  const first = lines[0];
  const last = lines.at(-1);
  if (!first || !last) throw new RangeError("a block has a line");
  const range = { start: first.start, end: last.end };
  const joined = text.slice(range.start, range.end).replace(/[\r\n\u2028\u2029]/g, " ");
  const title =
    alone &&
    lines.length === 1 &&
    !terminal.test(first.text) &&
    !labelled.test(first.text) &&
    first.text.trim().split(/\s+/).length <= maxHeadingWords;
  return { ...range, text: joined, heading: first.heading || title };
}
