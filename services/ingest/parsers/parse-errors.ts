import { type HeadwaterError, invalidArgument } from "@headwater/errors";

/** Formats as people name them, for the text of a refusal. */
export const supportedFormats =
  "plain text, Markdown, HTML, PDF, DOCX, CSV, TSV, JSON, JSON Lines and source code";

export function unsupportedMediaType(mediaType: string): HeadwaterError {
  return invalidArgument(
    "HW_MEDIA_TYPE_UNSUPPORTED",
    `Documents of type ${mediaType} cannot be read.`,
    `Send one of: ${supportedFormats}.`,
  );
}

export function imageDocument(mediaType: string): HeadwaterError {
  return invalidArgument(
    "HW_DOCUMENT_IMAGE",
    `The document is an image (${mediaType}); its text would have to be recognised, and Headwater has no OCR.`,
    "Run an OCR program over the image and send its result.",
  );
}

export function binaryContent(): HeadwaterError {
  return invalidArgument(
    "HW_DOCUMENT_BINARY",
    "The content is binary data of an unknown kind, not text.",
    `Send one of: ${supportedFormats}.`,
  );
}

/** @param format such as "PDF" */
export function encryptedDocument(format: string): HeadwaterError {
  return invalidArgument(
    "HW_DOCUMENT_ENCRYPTED",
    `The ${format} document is encrypted and asks for a password.`,
    "Remove the password and send the document again.",
  );
}

/** @param problem what is wrong with it, such as "the central directory is missing"; no document text */
export function corruptDocument(format: string, problem: string, cause?: unknown): HeadwaterError {
  const error = invalidArgument(
    "HW_DOCUMENT_CORRUPT",
    `The content is not a valid ${format} document: ${problem}.`,
    "Open it in the program that made it, save it anew and send it again.",
  );
  if (cause !== undefined) error.cause = cause;
  return error;
}

export function emptyDocument(): HeadwaterError {
  return invalidArgument(
    "HW_DOCUMENT_EMPTY",
    "The document holds no text.",
    "Send a document with text in it.",
  );
}

export function noTextInPages(pages: number): HeadwaterError {
  return invalidArgument(
    "HW_DOCUMENT_NO_TEXT",
    `None of the PDF's ${pages} ${pages === 1 ? "page has" : "pages has"} text; they are probably scanned images, and Headwater has no OCR.`,
    "Run an OCR program over the document and send its result.",
  );
}

/** @param limit in UTF-16 code units */
export function textTooLong(limit: number): HeadwaterError {
  return invalidArgument(
    "HW_DOCUMENT_TOO_LARGE",
    `The text of the document is longer than ${limit} characters.`,
    "Split the document, or raise HEADWATER_INGEST_MAX_TEXT_LENGTH.",
  );
}

/** @param problem such as "it would unpack to 4 GiB"; no document text */
export function documentBomb(problem: string): HeadwaterError {
  return invalidArgument(
    "HW_DOCUMENT_BOMB",
    `The document was not unpacked: ${problem}.`,
    "If the document is meant to be so large, split it, or raise HEADWATER_INGEST_MAX_UNPACKED_BYTES.",
  );
}

/** @param problem such as "its elements are nested too deeply"; no document text */
export function tooComplex(problem: string): HeadwaterError {
  return invalidArgument(
    "HW_DOCUMENT_TOO_COMPLEX",
    `The document is too complex to be parsed: ${problem}.`,
    "Simplify the document or split it.",
  );
}
