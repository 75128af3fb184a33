import type { DocumentKey } from "./passage-index.ts";

/** One string for a document of a tenant; the parts are escaped so that two documents never share one. */
export function documentKey(document: DocumentKey): string {
  return `${document.tenant}/${encodeURIComponent(document.documentId)}`;
}

/** What `documentKey` was made of. */
export function parseDocumentKey(key: string): DocumentKey {
  const slash = key.indexOf("/");
  return { tenant: key.slice(0, slash), documentId: decodeURIComponent(key.slice(slash + 1)) };
}

/** One string for an attribute, so that a list of them can be indexed; key and value cannot run into each other. */
export function attributeLabel(key: string, value: string): string {
  return JSON.stringify([key, value]);
}
