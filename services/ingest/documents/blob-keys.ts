import { createHash } from "node:crypto";
import type { DocumentKey } from "@headwater/passage-index";

/**
 * Keys in the blob store. A document's id is hashed: as it is, it could be longer than a key may be, and the "/" in
 * one id would make it a folder of another.
 */
function folderOf({ tenant, documentId }: DocumentKey): string {
  return `${tenant}/${createHash("sha256").update(documentId).digest("hex").slice(0, 32)}`;
}

/** Where originals that are too large for the log wait, and stay, from the moment they are pushed. */
export const uploadsFolder = "uploads";

/** @param startedAt unix milliseconds; makes leftovers of a crash tell their age */
export function uploadKey(document: DocumentKey, startedAt: number, unique: string): string {
  return `${uploadsFolder}/${folderOf(document)}/${startedAt}-${unique}`;
}

/** Unix milliseconds at which an upload was started; undefined where the key is not one of an upload. */
export function uploadStartedAt(key: string): number | undefined {
  const match = /^uploads\/[^/]+\/[0-9a-f]{32}\/(\d+)-/.exec(key);
  return match ? Number(match[1]) : undefined;
}

/** True where a blob that an event names may belong to the document: never another's, least of all a tenant's. */
export function mayOwn(document: DocumentKey, key: string): boolean {
  const folder = folderOf(document);
  return (
    [uploadsFolder, "originals"].some((root) => key.startsWith(`${root}/${folder}/`)) && !key.includes("..")
  );
}

/** Original of a document that came inside its event. */
export function originalKey(document: DocumentKey, version: number, contentSha256: string): string {
  return `${originalsOf(document)}${version}-${contentSha256.slice(0, 16)}`;
}

/** Where the originals of a document are, but for uploads. */
export function originalsOf(document: DocumentKey): string {
  return `originals/${folderOf(document)}/`;
}

/** Where the extracted texts of a document are. */
export function textsOf(document: DocumentKey): string {
  return `texts/${folderOf(document)}/`;
}

/** The version that an original or a text belongs to; undefined where the key is of neither. */
export function versionOfBlob(key: string): number | undefined {
  const match = /^(?:originals|texts)\/[^/]+\/[0-9a-f]{32}\/(\d+)(?:-[0-9a-f]+)?$/.exec(key);
  return match ? Number(match[1]) : undefined;
}

/** Extracted text of a version. */
export function textKey(document: DocumentKey, version: number): string {
  return `${textsOf(document)}${version}`;
}
