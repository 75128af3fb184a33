import { HeadwaterError } from "@headwater/errors";
import { isCode, mediaTypes } from "./media-types.ts";
import { corruptDocument, tooComplex, unsupportedMediaType } from "./parse-errors.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import type { Parser, ParserLimits } from "./parser.ts";
import { resolveMediaType } from "./sniffing.ts";

/** Raised whenever a parser or a chunker gives other passages than before: documents are then processed anew. */
export const parserVersion = 1;

/** Loaded when a document first needs them: the heavy ones take half a second and tens of megabytes. */
const parsers: Readonly<Record<string, () => Promise<Parser>>> = {
  [mediaTypes.markdown]: async () => (await import("./markdown.ts")).parseMarkdown,
  [mediaTypes.html]: async () => (await import("./html.ts")).parseHtml,
  [mediaTypes.pdf]: async () => (await import("./pdf.ts")).parsePdf,
  [mediaTypes.docx]: async () => (await import("./docx.ts")).parseDocx,
  [mediaTypes.csv]: async () => (await import("./delimited.ts")).parseDelimited,
  [mediaTypes.tsv]: async () => (await import("./delimited.ts")).parseDelimited,
  [mediaTypes.json]: async () => (await import("./json.ts")).parseJson,
  [mediaTypes.jsonLines]: async () => (await import("./json.ts")).parseJsonLines,
};

export interface ParseSource {
  readonly content: Uint8Array;
  /** As declared, may be empty. */
  readonly mediaType: string;
  /** Uri or id. */
  readonly name: string;
}

/**
 * Finds out what a document is and extracts its text.
 *
 * @throws HeadwaterError that says what is wrong with the document
 */
export async function parseDocument(source: ParseSource, limits: ParserLimits): Promise<ParsedDocument> {
  const { mediaType, charset } = await resolveMediaType(source.content, source.mediaType, source.name);
  const parse = await parserOf(mediaType);
  try {
    return await parse({ content: source.content, mediaType, charset, name: source.name, limits });
  } catch (thrown) {
    if (thrown instanceof HeadwaterError) throw thrown;
    // What overflows is the stack of a recursive parser, or the longest string that there can be.
    if (thrown instanceof RangeError) throw tooComplex("it is nested too deeply or unfolds to too much");
    throw corruptDocument(mediaType, "the parser gave it up", thrown);
  }
}

async function parserOf(mediaType: string): Promise<Parser> {
  const load = parsers[mediaType];
  if (load) return load();
  if (isCode(mediaType)) return (await import("./source-code.ts")).parseSourceCode;
  if (mediaType.startsWith("text/")) return (await import("./plain-text.ts")).parsePlainText;
  throw unsupportedMediaType(mediaType);
}
