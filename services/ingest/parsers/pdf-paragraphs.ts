import type { DocumentBuilder } from "./document-builder.ts";
import type { PdfLine } from "./pdf-lines.ts";

/** A heading is set at least so much larger than the body. */
const headingScale = 1.15;
const maxHeadingLength = 160;
/** Where more of the text than this is "headings", size does not mark them in this document. */
const maxHeadingShare = 0.25;

/** Adds lines to the builder as headings and paragraphs, told by font size, spacing and indentation. */
export function addPdfParagraphs(pages: readonly (readonly PdfLine[])[], builder: DocumentBuilder): void {
  const lines = pages.flat();
  const levels = headingLevels(lines);
  const words = wordsOf(lines);
  for (const page of pages) {
    const spacing = lineSpacing(page);
    for (const paragraph of paragraphsOf(page, levels, spacing)) {
      const [first] = paragraph;
      if (first === undefined) continue;
      const level = levelOf(first, levels);
      const text = joinLines(paragraph, words);
      if (level === undefined || text.length > maxHeadingLength) builder.addParagraph(text, first.page);
      else builder.addHeading(text, level, first.page);
    }
  }
}

/** Sizes are compared at half a point: the same font is set with rounding errors. */
function sizeOf(line: PdfLine): number {
  return Math.round(line.height * 2) / 2;
}

/** Font size → level, 1 for the largest; empty where sizes do not tell headings from text. */
function headingLevels(lines: readonly PdfLine[]): ReadonlyMap<number, number> {
  const charactersBySize = new Map<number, number>();
  let characters = 0;
  for (const line of lines) {
    characters += line.text.length;
    charactersBySize.set(sizeOf(line), (charactersBySize.get(sizeOf(line)) ?? 0) + line.text.length);
  }
  const [body = 0] = [...charactersBySize].toSorted((left, right) => right[1] - left[1])[0] ?? [];
  const larger = [...charactersBySize].filter(([size]) => size >= body * headingScale);
  const share = larger.reduce((sum, [, count]) => sum + count, 0) / Math.max(1, characters);
  if (body === 0 || share > maxHeadingShare) return new Map();
  const sizes = larger.map(([size]) => size).toSorted((left, right) => right - left);
  return new Map(sizes.map((size, index) => [size, Math.min(6, index + 1)]));
}

/** A line with a leader to a page number is an entry of a table of contents, not the heading itself. */
function levelOf(line: PdfLine, levels: ReadonlyMap<number, number>): number | undefined {
  return /\p{L}/u.test(line.text) && !line.text.includes(" … ") ? levels.get(sizeOf(line)) : undefined;
}

/** Median distance between a line and the one below it. */
function lineSpacing(lines: readonly PdfLine[]): number {
  const gaps: number[] = [];
  lines.forEach((line, index) => {
    const gap = (lines[index - 1]?.y ?? 0) - line.y;
    if (gap > 0.5 * line.height && gap < 3 * line.height) gaps.push(gap);
  });
  return (
    gaps.toSorted((left, right) => left - right)[Math.floor(gaps.length / 2)] ?? Number.POSITIVE_INFINITY
  );
}

function* paragraphsOf(
  lines: readonly PdfLine[],
  levels: ReadonlyMap<number, number>,
  spacing: number,
): Generator<PdfLine[]> {
  let paragraph: PdfLine[] = [];
  for (const line of lines) {
    const above = paragraph.at(-1);
    if (above !== undefined && startsParagraph(line, above, levels, spacing)) {
      yield paragraph;
      paragraph = [];
    }
    paragraph.push(line);
  }
  if (paragraph.length > 0) yield paragraph;
}

const item = /^(?:[•‣▪◦●○■□–—*-]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s/;
const sentenceEnd = /[.!?:;…]["'”’»)\]]*$/;

function startsParagraph(
  line: PdfLine,
  above: PdfLine,
  levels: ReadonlyMap<number, number>,
  spacing: number,
): boolean {
  if (levelOf(line, levels) !== levelOf(above, levels)) return true;
  if (Math.max(line.height, above.height) > headingScale * Math.min(line.height, above.height)) return true;
  if (item.test(line.text)) return true;
  const gap = above.y - line.y;
  // The top of the next column, or something beside: the sentence may go on there.
  if (gap < -0.5 * line.height || gap > 8 * spacing)
    return sentenceEnd.test(above.text) || !/^\p{Ll}/u.test(line.text);
  if (gap > 1.35 * spacing) return true;
  return line.x - above.x > 0.8 * line.height && sentenceEnd.test(above.text);
}

/** Words that stand whole somewhere in the document: they tell a hyphen of a word from one of a line end. */
function wordsOf(lines: readonly PdfLine[]): ReadonlySet<string> {
  const words = new Set<string>();
  for (const line of lines) {
    for (const [word] of line.text
      .toLowerCase()
      .matchAll(/[\p{L}\p{M}]+(?:-[\p{L}\p{M}]+)*(?![\p{L}\p{M}-])/gu))
      words.add(word);
  }
  return words;
}

function joinLines(lines: readonly PdfLine[], words: ReadonlySet<string>): string {
  let text = "";
  for (const line of lines) {
    if (text === "") text = line.text;
    else if (text.endsWith("\u00ad")) text = text.slice(0, -1) + line.text;
    else if (isBroken(text, line.text))
      text = (keepsHyphen(text, line.text, words) ? text : text.slice(0, -1)) + line.text;
    else text += ` ${line.text}`;
  }
  return text.replaceAll("\u00ad", "");
}

function isBroken(text: string, following: string): boolean {
  return /\p{L}[-\u2010]$/u.test(text.slice(-3)) && /^\p{Ll}/u.test(following);
}

/** "well-" and "known" stay hyphenated if the document has "well-known" elsewhere and has no "wellknown". */
function keepsHyphen(text: string, following: string, words: ReadonlySet<string>): boolean {
  const before =
    /[\p{L}\p{M}]{1,50}(?:-[\p{L}\p{M}]{1,50}){0,3}(?=[-\u2010]$)/u
      .exec(text.slice(-200))?.[0]
      ?.toLowerCase() ?? "";
  const after = /^[\p{L}\p{M}]{1,50}/u.exec(following)?.[0]?.toLowerCase() ?? "";
  return words.has(`${before}-${after}`) && !words.has(before + after);
}
