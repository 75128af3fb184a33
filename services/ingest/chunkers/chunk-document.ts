import { invalidArgument } from "@headwater/errors";
import type { Tokenizer } from "tokenizers";
import { mediaTypes } from "../parsers/media-types.ts";
import { emptyDocument } from "../parsers/parse-errors.ts";
import type { Block, ParsedDocument } from "../parsers/parsed-document.ts";
import { isSpace } from "../parsers/plain-text.ts";
import { rankBreaks } from "./break-table.ts";
import type { Chunker } from "./chunker.ts";
import type { ChunkingSettings, ChunkStrategy } from "./chunking-settings.ts";
import { chunkByHierarchy } from "./hierarchical.ts";
import { chunkBySentence } from "./sentence.ts";
import { encode, tokenize } from "./token-table.ts";
import { chunkByWindow } from "./window.ts";

/** A passage by its offsets: `document.text.slice(start, end)`. */
export interface PassageSpan {
  /** UTF-16 code units into the extracted text. */
  readonly start: number;
  readonly end: number;
  /** Page on which it starts, from 1; 0 where there are none. */
  readonly page: number;
  /** What all of its text stands under, outermost first. */
  readonly headingPath: readonly string[];
  /** Tokens, special ones not counted. */
  readonly tokens: number;
}

const chunkers: Readonly<Record<Exclude<ChunkStrategy, "auto">, Chunker>> = {
  window: chunkByWindow,
  sentence: chunkBySentence,
  hierarchical: chunkByHierarchy,
};

/** Text and PDF have no headings, or only guessed ones, that a cut could follow. */
const sentenceTypes: ReadonlySet<string> = new Set([mediaTypes.text, mediaTypes.pdf]);

/** English has about 4.5 code units a token; more of them hint at tokens that the fast path cannot bound. */
const fastPathUnitsPerToken = 8;

export function strategyFor(mediaType: string, settings: ChunkingSettings): Exclude<ChunkStrategy, "auto"> {
  const strategy = settings.strategyByType[mediaType] ?? settings.strategy;
  if (strategy !== "auto") return strategy;
  return sentenceTypes.has(mediaType) ? "sentence" : "hierarchical";
}

/**
 * Cuts a document into passages that together hold all of its text.
 *
 * @param maxPassages beyond it: HW_DOCUMENT_TOO_MANY_PASSAGES; HW_DOCUMENT_EMPTY where the tokenizer knows no token
 */
export async function chunkDocument(
  document: ParsedDocument,
  tokenizer: Tokenizer,
  settings: ChunkingSettings,
  maxPassages: number,
): Promise<PassageSpan[]> {
  const { text, blocks } = document;
  // Most documents of a large collection are short: one call to the tokenizer tells that nothing has to be cut.
  const encoding =
    text.length <= settings.tokens * fastPathUnitsPerToken ? await encode(text, tokenizer) : undefined;
  const count = encoding?.getLength() ?? Number.POSITIVE_INFINITY;
  if (count > 0 && count <= settings.tokens) return trimmed(text, blocks, 0, text.length, count);
  const table = await tokenize(text, tokenizer, encoding);
  if (table.count === 0) throw emptyDocument();
  const breaks = rankBreaks(document, table);
  const chunk = chunkers[strategyFor(document.mediaType, settings)];
  const { tokens, overlapTokens } = settings;
  const passages: PassageSpan[] = [];
  for (const { first, end } of chunk({ text, blocks, table, breaks, tokens, overlapTokens })) {
    const start = first === 0 ? 0 : (table.starts[first] ?? text.length);
    const stop = end === table.count ? text.length : (table.starts[end] ?? text.length);
    passages.push(...trimmed(text, blocks, start, stop, end - first));
    if (passages.length > maxPassages) throw tooManyPassages(maxPassages);
  }
  return passages;
}

/** One passage, or none where there is only white space. */
function trimmed(
  text: string,
  blocks: readonly Block[],
  from: number,
  to: number,
  tokens: number,
): PassageSpan[] {
  let start = from;
  let end = to;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  if (start === end) return [];
  const first = blockAt(blocks, start);
  const block = blocks[first];
  // Indentation belongs to code.
  if (block?.kind === "code") while (start > from && isIndentation(text.charCodeAt(start - 1))) start--;
  return [{ start, end, page: block?.page ?? 0, headingPath: commonHeadings(blocks, first, end), tokens }];
}

function isIndentation(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Index of the last block that begins at or before a place; 0 where there is none. */
function blockAt(blocks: readonly Block[], place: number): number {
  let low = 0;
  let high = blocks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((blocks[middle]?.start ?? 0) <= place) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/** Headings that all blocks of a passage stand under; headings in the passage count only where there is nothing else. */
function commonHeadings(blocks: readonly Block[], first: number, end: number): readonly string[] {
  let common: readonly string[] | undefined;
  let headings: readonly string[] | undefined;
  for (let at = first; at < blocks.length; at++) {
    const block = blocks[at];
    if (block === undefined || (block.start >= end && at > first)) break;
    if (block.kind === "heading") headings = commonPrefix(headings, block.headingPath);
    else common = commonPrefix(common, block.headingPath);
  }
  return common ?? headings ?? [];
}

function commonPrefix(left: readonly string[] | undefined, right: readonly string[]): readonly string[] {
  if (left === undefined || left === right) return right;
  const different = left.findIndex((heading, index) => heading !== right[index]);
  return different < 0 ? left : left.slice(0, different);
}

function tooManyPassages(limit: number) {
  return invalidArgument(
    "HW_DOCUMENT_TOO_MANY_PASSAGES",
    `The document has more than ${limit} passages.`,
    "Split the document, or raise HEADWATER_INGEST_MAX_PASSAGES or HEADWATER_CHUNK_TOKENS.",
  );
}
