import { emptyDocument, textTooLong } from "./parse-errors.ts";
import type { Block, BlockKind, ParsedDocument } from "./parsed-document.ts";

/** A heading in a path is a label; a longer one is running text that was marked up as a heading. */
const maxHeadingLength = 200;

/** Puts extracted text together, block by block, and notes where each block came to stand. */
export class DocumentBuilder {
  readonly #maxTextLength: number;
  readonly #parts: string[] = [];
  readonly #blocks: Block[] = [];
  /** Open headings, outermost first. */
  readonly #headings: { level: number; text: string }[] = [];
  #headingPath: readonly string[] = [];
  #length = 0;
  #lastWasItem = false;

  /** @param maxTextLength UTF-16 code units; beyond it `add` throws HW_DOCUMENT_TOO_LARGE */
  constructor(maxTextLength: number) {
    this.#maxTextLength = maxTextLength;
  }

  get isEmpty(): boolean {
    return this.#blocks.length === 0;
  }

  /** @param level 1 is outermost */
  addHeading(text: string, level: number, page = 0): void {
    const heading = collapse(text);
    if (heading === "") return;
    while ((this.#headings.at(-1)?.level ?? 0) >= level) this.#headings.pop();
    this.#headings.push({ level, text: headingLabel(heading) });
    this.#headingPath = this.#headings.map((open) => open.text);
    this.#append("heading", heading, page, "\n\n");
  }

  addParagraph(text: string, page = 0): void {
    this.#append("paragraph", trimBlock(text), page, "\n\n");
  }

  addCode(text: string, page = 0): void {
    this.#append("code", trimBlankLines(text), page, "\n\n");
  }

  /** An item of a list, or a line of a table: stands right below the one before it. */
  addItem(text: string, page = 0): void {
    this.#append("paragraph", trimBlock(text), page, this.#lastWasItem ? "\n" : "\n\n");
    this.#lastWasItem = true;
  }

  addRow(text: string): void {
    this.#append("row", trimBlock(text), 0, "\n\n");
  }

  /** Fails with HW_DOCUMENT_EMPTY where nothing was added. */
  finish(title: string, mediaType: string): ParsedDocument {
    if (this.isEmpty) throw emptyDocument();
    return {
      text: this.#parts.join(""),
      title: headingLabel(collapse(cleanText(title))),
      mediaType,
      blocks: this.#blocks,
    };
  }

  #append(kind: BlockKind, text: string, page: number, separator: string): void {
    const clean = cleanText(text);
    if (clean.trim() === "") return;
    const start = this.#length === 0 ? 0 : this.#length + separator.length;
    if (start + clean.length > this.#maxTextLength) throw textTooLong(this.#maxTextLength);
    if (start > 0) this.#parts.push(separator);
    this.#parts.push(clean);
    this.#length = start + clean.length;
    this.#blocks.push({ kind, start, end: this.#length, page, headingPath: this.#headingPath });
    this.#lastWasItem = false;
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const controls = /[\u0000-\u0008\u000b\u000e-\u001f\u007f]/g;

/**
 * Makes a text fit for every store: lone surrogates become U+FFFD (UTF-8 has none), control characters become spaces
 * (PostgreSQL has no NUL). The length stays as it is, so offsets do too.
 */
export function cleanText(text: string): string {
  return text.toWellFormed().replace(controls, " ");
}

/** White space as HTML shows it. */
export function collapse(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

export function headingLabel(text: string): string {
  if (text.length <= maxHeadingLength) return text;
  const cut = text.lastIndexOf(" ", maxHeadingLength);
  return `${text.slice(0, cut > maxHeadingLength / 2 ? cut : maxHeadingLength).toWellFormed()}…`;
}

function trimBlock(text: string): string {
  return text.replace(/\r\n?/g, "\n").trim();
}

/** Keeps the indentation of the first line. */
function trimBlankLines(text: string): string {
  const lines = text.replace(/\r\n?/g, "\n").trimEnd();
  return lines.slice(/^(?:[^\S\n]*\n)*/.exec(lines)?.[0].length ?? 0);
}
