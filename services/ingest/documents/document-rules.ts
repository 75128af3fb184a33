import type { HeadwaterError } from "@headwater/errors";
import { invalidArgument } from "@headwater/errors";
import { checkTenant } from "@headwater/rpc";

/** What a producer says of a document, at any door: Push, the document log. */
export interface DeclaredDocument {
  readonly tenant: string;
  readonly id: string;
  readonly version: number;
  readonly title: string;
  readonly uri: string;
  readonly mediaType: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Bytes of UTF-8. */
const limits = { id: 512, title: 1024, uri: 2048, mediaType: 255, attributeKey: 128, attributeValue: 1024 };
const maxAttributes = 64;

/** C0, DEL and C1: they break logs and terminals, and PostgreSQL has no NUL. */
const controlCharacter = /\p{Cc}/u;
/** In a title or an attribute's value, where line breaks and tabs are harmless. */
const harmfulCharacter = /[^\P{Cc}\t\n\r]/u;
const mediaTypePattern = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+\s*(;.*)?$/;

/** @throws HeadwaterError INVALID_ARGUMENT, HW_DOCUMENT_ID_INVALID */
export function checkDocumentId(id: string): string {
  const problem = problemOf(id, limits.id, controlCharacter) ?? problemOfId(id);
  if (problem === undefined) return id;
  throw invalidArgument(
    "HW_DOCUMENT_ID_INVALID",
    `The document's id ${problem}.`,
    `Send 1 to ${limits.id} bytes of UTF-8 without control characters or a byte order mark.`,
  );
}

/** Readers of UTF-8 drop a byte order mark, so that what they read back is the id of another document. */
function problemOfId(id: string): string | undefined {
  if (id === "") return "is empty";
  return id.startsWith("\ufeff") ? "begins with a byte order mark" : undefined;
}

/**
 * Checks all that is declared but the content.
 *
 * @throws HeadwaterError INVALID_ARGUMENT
 */
export function checkDeclaredDocument(document: DeclaredDocument): void {
  checkTenant(document.tenant);
  checkDocumentId(document.id);
  if (!Number.isSafeInteger(document.version) || document.version < 0)
    throw invalidArgument(
      "HW_DOCUMENT_VERSION_INVALID",
      "The version must be a whole number from 0 to 2^53 - 1.",
    );
  const { title, uri, mediaType, attributes } = document;
  check("title", problemOf(title, limits.title, harmfulCharacter), "HW_DOCUMENT_TITLE_INVALID");
  check("uri", problemOf(uri, limits.uri, controlCharacter), "HW_DOCUMENT_URI_INVALID");
  const typeProblem =
    problemOf(mediaType, limits.mediaType, controlCharacter) ??
    (mediaType === "" || mediaTypePattern.test(mediaType) ? undefined : "is not of the form type/subtype");
  check("media type", typeProblem, "HW_MEDIA_TYPE_INVALID");
  checkAttributes(attributes);
}

function checkAttributes(attributes: Readonly<Record<string, string>>): void {
  const entries = Object.entries(attributes);
  if (entries.length > maxAttributes)
    throw attributesInvalid(`There are ${entries.length} attributes; at most ${maxAttributes} are allowed.`);
  for (const [key, value] of entries) {
    const keyProblem =
      problemOf(key, limits.attributeKey, controlCharacter) ?? (key === "" ? "is empty" : undefined);
    if (keyProblem) throw attributesInvalid(`The key of an attribute ${keyProblem}.`);
    const valueProblem = problemOf(value, limits.attributeValue, harmfulCharacter);
    if (valueProblem) throw attributesInvalid(`The value of the attribute "${key}" ${valueProblem}.`);
  }
}

function attributesInvalid(message: string): HeadwaterError {
  return invalidArgument("HW_DOCUMENT_ATTRIBUTES_INVALID", message);
}

function check(name: string, problem: string | undefined, reason: `HW_${string}`): void {
  if (problem) throw invalidArgument(reason, `The document's ${name} ${problem}.`);
}

function problemOf(value: string, maxBytes: number, forbidden: RegExp): string | undefined {
  if (typeof value !== "string") return "is not a text";
  // A code unit is at most three bytes, so short texts need not be measured.
  if (value.length * 3 > maxBytes && Buffer.byteLength(value) > maxBytes)
    return `is longer than ${maxBytes} bytes`;
  if (!value.isWellFormed()) return "holds half of a surrogate pair";
  if (forbidden.test(value)) return "holds a control character";
  return undefined;
}
