import { HeadwaterError } from "@headwater/errors";
import mammoth from "mammoth";
import { DocumentBuilder } from "./document-builder.ts";
import { parseDom } from "./html.ts";
import { addHtmlBlocks } from "./html-blocks.ts";
import { corruptDocument, tooComplex } from "./parse-errors.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import type { ParserInput } from "./parser.ts";
import { unpackZip } from "./zip-archive.ts";

/** Bytes of the main part's XML. Its tree takes about 20 times as much. */
const maxXmlBytes = 24 * 1024 * 1024;

/** DOCX: headings, paragraphs, lists, tables and notes; pictures are left out. */
export async function parseDocx({ content, mediaType, limits }: ParserInput): Promise<ParsedDocument> {
  const parts = await unpackZip(content, {
    format: "DOCX",
    maxUnpackedBytes: limits.maxUnpackedBytes,
    wanted: (name) => /\.(?:xml|rels)$/i.test(name),
  });
  for (const [name, bytes] of parts) checkXml(name, bytes);
  const document = parseDom(await convertToHtml(parts));
  // The arrows that lead back from a note to its place.
  for (const link of document.querySelectorAll('a[href^="#footnote-ref"], a[href^="#endnote-ref"]'))
    link.remove();
  const builder = new DocumentBuilder(limits.maxTextLength);
  addHtmlBlocks(document.body, builder, { skipBoilerplate: false });
  const firstHeading = document.querySelector("h1")?.textContent ?? "";
  return builder.finish(coreTitle(parts.get("docProps/core.xml")) || firstHeading, mediaType);
}

/** Office writes no document type declaration; one is there to define entities that unfold into each other. */
function checkXml(name: string, bytes: Uint8Array): void {
  if (bytes.length > maxXmlBytes)
    throw tooComplex(`a part of it has more than ${maxXmlBytes / 1024 / 1024} MiB of XML`);
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 64 * 1024));
  if (head.includes("<!DOCTYPE") || head.includes("<!ENTITY")) {
    throw corruptDocument("DOCX", `its part ${name.slice(0, 100)} declares a document type`);
  }
}

async function convertToHtml(parts: ReadonlyMap<string, Uint8Array>): Promise<string> {
  try {
    const { value } = await mammoth.convertToHtml(asMammothInput(parts), {
      styleMap: ["p[style-name='Title'] => h1:fresh", "p[style-name='Subtitle'] => p:fresh"],
      includeEmbeddedStyleMap: false,
      externalFileAccess: false,
      convertImage: mammoth.images.imgElement(async () => ({ src: "" })),
    });
    return value;
  } catch (cause) {
    if (cause instanceof RangeError || cause instanceof HeadwaterError) throw cause;
    throw corruptDocument("DOCX", "its parts do not make a Word document", cause);
  }
}

/**
 * The parts that were unpacked, and checked, already. `file` is how mammoth passes an opened archive on; it is not in
 * its types, which know only inputs that mammoth unpacks itself, without bounds.
 */
function asMammothInput(parts: ReadonlyMap<string, Uint8Array>): { buffer: Buffer } {
  const file = {
    exists: (name: string) => parts.has(name),
    read: async (name: string, encoding?: string) => {
      const bytes = parts.get(name);
      if (bytes === undefined) throw corruptDocument("DOCX", `its part ${name.slice(0, 100)} is missing`);
      return encoding === undefined ? bytes : new TextDecoder(encoding).decode(bytes);
    },
  };
  return { file } as unknown as { buffer: Buffer };
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Title from the core properties (ECMA-376 part 2, 11.1). */
function coreTitle(core: Uint8Array | undefined): string {
  const xml = core === undefined ? "" : new TextDecoder().decode(core.subarray(0, 64 * 1024));
  const title = /<dc:title[^>]{0,200}>([^<]{0,2000})<\/dc:title>/.exec(xml)?.[1] ?? "";
  return title.replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => entities[name] ?? "");
}
