import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { HeadwaterError } from "@headwater/errors";
import { getDocument, VerbosityLevel } from "pdfjs-dist/legacy/build/pdf.mjs";
import type { PDFDocumentProxy, TextItem } from "pdfjs-dist/types/src/display/api.js";
import { collapse, DocumentBuilder } from "./document-builder.ts";
import { corruptDocument, encryptedDocument, noTextInPages, textTooLong } from "./parse-errors.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import type { ParserInput } from "./parser.ts";
import type { PdfLine } from "./pdf-lines.ts";
import { linesOfPage, withoutRunningHeaders } from "./pdf-lines.ts";
import { addPdfParagraphs } from "./pdf-paragraphs.ts";

const pdfjsFolder = dirname(fileURLToPath(import.meta.resolve("pdfjs-dist/package.json")));

/** PDF: text with page numbers; headings by font size. No OCR. */
export async function parsePdf({ content, mediaType, limits }: ParserInput): Promise<ParsedDocument> {
  const loading = getDocument({
    // A copy, because pdf.js takes the buffer away.
    data: new Uint8Array(content),
    cMapUrl: `${pdfjsFolder}/cmaps/`,
    standardFontDataUrl: `${pdfjsFolder}/standard_fonts/`,
    useWorkerFetch: false,
    useSystemFonts: false,
    disableFontFace: true,
    verbosity: VerbosityLevel.ERRORS,
  });
  try {
    const document = await loading.promise;
    const pages = await readPages(document, limits.maxTextLength);
    const builder = new DocumentBuilder(limits.maxTextLength);
    addPdfParagraphs(withoutRunningHeaders(pages), builder);
    // Where nothing but running headers is left, they are the text.
    if (builder.isEmpty) addPdfParagraphs(pages, builder);
    if (builder.isEmpty) throw noTextInPages(document.numPages);
    return builder.finish((await metadataTitle(document)) || firstPageTitle(pages), mediaType);
  } catch (thrown) {
    if (thrown instanceof HeadwaterError) throw thrown;
    if (thrown instanceof Error && thrown.name === "PasswordException") throw encryptedDocument("PDF");
    throw corruptDocument("PDF", "its structure cannot be read", thrown);
  } finally {
    await loading.destroy();
  }
}

async function readPages(document: PDFDocumentProxy, maxTextLength: number): Promise<PdfLine[][]> {
  const pages: PdfLine[][] = [];
  let length = 0;
  for (let number = 1; number <= document.numPages; number++) {
    const page = await document.getPage(number);
    const { items } = await page.getTextContent();
    const texts = items.filter((item): item is TextItem => "str" in item);
    for (const { str } of texts) length += str.length;
    if (length > maxTextLength) throw textTooLong(maxTextLength);
    pages.push(linesOfPage(texts, number));
    page.cleanup();
  }
  return pages;
}

/** What programs write when nobody gave a title. */
const noTitle =
  /^(?:untitled|unknown|document\d*|microsoft word\b.*|.*\.(?:docx?|odt|tex|dvi|indd|qxd|pdf|rtf))$/i;

async function metadataTitle(document: PDFDocumentProxy): Promise<string> {
  const { info, metadata } = await document.getMetadata();
  const stated: unknown[] = ["Title" in info ? info.Title : "", metadata?.get("dc:title")];
  for (const title of stated) {
    if (typeof title === "string" && title.trim() !== "" && !noTitle.test(title.trim())) return title;
  }
  return "";
}

/** The largest print on the first page, if it is larger than the rest and of the length of a title. */
function firstPageTitle(pages: readonly (readonly PdfLine[])[]): string {
  const lines = pages[0] ?? [];
  const largest = Math.max(0, ...lines.map((line) => line.height));
  const title = lines.filter((line) => line.height > largest * 0.97);
  if (title.length === lines.length || title.length > 4) return "";
  const text = collapse(title.map((line) => line.text).join(" "));
  return text.length >= 4 && text.length <= 200 ? text : "";
}
