import { fileTypeFromBuffer } from "file-type";
import type { DeclaredType } from "./media-types.ts";
import { isCode, mediaTypeOfName, mediaTypes, parseMediaType } from "./media-types.ts";
import {
  binaryContent,
  corruptDocument,
  emptyDocument,
  encryptedDocument,
  imageDocument,
  unsupportedMediaType,
} from "./parse-errors.ts";
import { decodeText } from "./text-decoding.ts";

/** Magic numbers and the first tags stand within it. */
const sampleBytes = 4096;

/** What is sent where nothing is known about the content. */
const unspecific: ReadonlySet<string> = new Set([
  "",
  "application/octet-stream",
  "binary/octet-stream",
  "application/unknown",
  "application/x-unknown",
  // Servers and browsers say this of all that they do not know but that looks like text.
  mediaTypes.text,
]);

const binaryFormats: Readonly<Record<string, string>> = {
  [mediaTypes.pdf]: "PDF",
  [mediaTypes.docx]: "DOCX",
};

/**
 * Finds out what a document is. Where the content tells for certain (a magic number, bytes that are no text) it beats
 * the declared type; otherwise the declared type holds, then the suffix of the name, then a look at the text.
 *
 * @param declared media type with parameters, may be empty
 * @throws HeadwaterError that says why the content cannot be read
 */
export async function resolveMediaType(
  content: Uint8Array,
  declared: string,
  name: string,
): Promise<DeclaredType> {
  if (content.length === 0) throw emptyDocument();
  const { mediaType, charset } = parseMediaType(declared);
  const claimed = unspecific.has(mediaType) ? (mediaTypeOfName(name) ?? mediaType) : mediaType;
  const magic = await mediaTypeOfMagic(content, claimed);
  if (magic !== undefined) return { mediaType: magic, charset: "" };
  return { mediaType: mediaTypeOfText(content, charset, mediaType, name), charset };
}

/**
 * @param claimed type that was declared or that the name has
 * @returns type of content that is not text; undefined for text
 */
async function mediaTypeOfMagic(content: Uint8Array, claimed: string): Promise<string | undefined> {
  const head = Buffer.from(content.buffer, content.byteOffset, Math.min(content.length, sampleBytes));
  const header = head.toString("latin1");
  if (/^\s*%PDF-\d/.test(header)) return mediaTypes.pdf;
  if (header.startsWith("{\\rtf")) throw unsupportedMediaType("application/rtf");
  if (header.startsWith("%!PS-Adobe")) throw unsupportedMediaType("application/postscript");
  if (header.startsWith("PK\x03\x04") || header.startsWith("PK\x05\x06"))
    return mediaTypeOfZip(content, claimed);
  if (header.startsWith("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")) throw compoundFileError(content);
  if (isText(head)) return undefined;
  // ISO 32000 lets a reader accept a header within the first 1,024 bytes.
  if (header.slice(0, 1024).includes("%PDF-")) return mediaTypes.pdf;
  const known = await fileTypeFromBuffer(new Uint8Array(head));
  if (known?.mime.startsWith("image/")) throw imageDocument(known.mime);
  if (known !== undefined) throw unsupportedMediaType(known.mime);
  const format = binaryFormats[claimed];
  throw format === undefined
    ? binaryContent()
    : corruptDocument(format, "its first bytes are not those of one");
}

function isText(head: Uint8Array): boolean {
  try {
    decodeText(head);
    return true;
  } catch {
    return false;
  }
}

/** A zip archive is DOCX if it has a Word document in it; the name of its part stands in the central directory. */
function mediaTypeOfZip(content: Uint8Array, claimed: string): string {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  if (bytes.includes("word/document")) return mediaTypes.docx;
  // A document part may have any name; its content type is compressed, so what is claimed decides.
  if (claimed === mediaTypes.docx) return mediaTypes.docx;
  if (bytes.includes("xl/workbook")) {
    throw unsupportedMediaType("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
  }
  if (bytes.includes("ppt/presentation")) {
    throw unsupportedMediaType("application/vnd.openxmlformats-officedocument.presentationml.presentation");
  }
  throw unsupportedMediaType("application/zip");
}

/** OLE compound files hold old Office documents, and new ones that are encrypted ([MS-OFFCRYPTO] 2.3). */
function compoundFileError(content: Uint8Array) {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  return bytes.includes(Buffer.from("EncryptedPackage", "utf16le"))
    ? encryptedDocument("Office")
    : unsupportedMediaType("application/x-ole-storage (Office 97-2003)");
}

function mediaTypeOfText(content: Uint8Array, charset: string, declared: string, name: string): string {
  const named = mediaTypeOfName(name);
  const namedText = named !== undefined && binaryFormats[named] === undefined ? named : undefined;
  if (isReadableText(declared) && !unspecific.has(declared)) return declared;
  if (namedText !== undefined && namedText !== mediaTypes.text) return namedText;
  const sample = decodeText(content.subarray(0, sampleBytes * 4), charset).trimStart();
  return (
    mediaTypeOfMarkup(sample) ?? (namedText === undefined ? mediaTypeOfStructure(sample) : mediaTypes.text)
  );
}

function isReadableText(mediaType: string): boolean {
  return (
    mediaType.startsWith("text/") ||
    isCode(mediaType) ||
    mediaType === mediaTypes.json ||
    mediaType === mediaTypes.jsonLines
  );
}

function mediaTypeOfMarkup(sample: string): string | undefined {
  if (/^(?:<!--[^>]{0,500}-->\s*)?(?:<!doctype\s+html|<html[\s>]|<head[\s>]|<body[\s>])/i.test(sample)) {
    return mediaTypes.html;
  }
  if (/^<\?xml\s/.test(sample)) return /<html[\s>]/i.test(sample) ? mediaTypes.html : "text/xml";
  return undefined;
}

function mediaTypeOfStructure(sample: string): string {
  const [first = "", second = ""] = sample.split("\n", 2);
  if (isJson(first) && /^[{[]/.test(first))
    return second.trim() === "" ? mediaTypes.json : mediaTypes.jsonLines;
  if (/^(?:\{\s*(?:"|\}|$)|\[\s*(?:[{["\]\d-]|$))/.test(sample) && isJsonStart(sample))
    return mediaTypes.json;
  if (/^#!.*\b(?:ba|z|da)?sh\b/.test(first)) return "text/x-shellscript";
  if (/^#!.*\bpython/.test(first)) return "text/x-python";
  if (/^#!.*\b(?:node|deno|bun)\b/.test(first)) return "text/javascript";
  if (isMarkdown(sample)) return mediaTypes.markdown;
  return mediaTypes.text;
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

/** The sample may end in the middle of a JSON text: it is one if some way on it still reads as one. */
function isJsonStart(sample: string): boolean {
  return isJson(sample) || /^\{\s*"(?:[^"\\\n]|\\.){0,200}"\s*:/.test(sample) || /^\[\s*\{\s*"/.test(sample);
}

/** A heading alone may be a comment in a script, so two kinds of markup are asked for. */
function isMarkdown(sample: string): boolean {
  const marks = [
    /^#{1,6} \S/m,
    /^(?:```|~~~)/m,
    /\[[^\]\n]{1,200}\]\([^)\s]{1,500}\)/,
    /^[-*] \S.*\n[-*] \S/m,
  ];
  return marks.filter((mark) => mark.test(sample)).length >= 2;
}
