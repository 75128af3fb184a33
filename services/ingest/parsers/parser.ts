import type { ParsedDocument } from "./parsed-document.ts";

/** What a parser may use up; time and memory are bounded from outside, by the worker that it runs in. */
export interface ParserLimits {
  /** UTF-16 code units of extracted text. */
  readonly maxTextLength: number;
  /** Bytes that a packed format may unpack to. */
  readonly maxUnpackedBytes: number;
}

/** An original whose type is known. */
export interface ParserInput {
  readonly content: Uint8Array;
  /** Resolved, without parameters. */
  readonly mediaType: string;
  /** As declared with the type; empty where it was not. */
  readonly charset: string;
  /** Uri or id. */
  readonly name: string;
  readonly limits: ParserLimits;
}

/** Throws a HeadwaterError that says what is wrong with the document. */
export type Parser = (input: ParserInput) => ParsedDocument | Promise<ParsedDocument>;
