/**
 * `row`: a record of a table or of a JSON Lines file. Code keeps its line breaks and its indentation; in the other
 * kinds a single line break means no more than a space.
 */
export type BlockKind = "heading" | "paragraph" | "code" | "row";

/** A piece of the extracted text that belongs together. Blocks are in order and do not overlap. */
export interface Block {
  readonly kind: BlockKind;
  /** UTF-16 code units into the extracted text. */
  readonly start: number;
  readonly end: number;
  /** From 1; 0 where the format has no pages. */
  readonly page: number;
  /** Headings above the block, outermost first; a heading's own text is the last of its path. */
  readonly headingPath: readonly string[];
}

/** What a parser makes of an original. Between blocks there is nothing but white space. */
export interface ParsedDocument {
  /** Extracted text: well-formed, "\n" line ends, no control characters but tab, line feed and form feed. */
  readonly text: string;
  /** Found inside the document; empty where there is none. */
  readonly title: string;
  /** As resolved, without parameters. */
  readonly mediaType: string;
  readonly blocks: readonly Block[];
}
