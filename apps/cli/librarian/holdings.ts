import type { Document, Failure, HeadwaterClient } from "@headwater/client";

/** What the service knows of a document, as far as it tells whether something has changed. */
export interface HeldDocument {
  readonly id: string;
  readonly uri: string;
  readonly sizeBytes: number;
  readonly contentSha256: string;
  readonly observedTime: Date | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  readonly failure: Failure | undefined;
}

/** The attribute that tells where a document came from, so that only what a source has sent is deleted with it. */
export const sourceAttribute = "source";

/**
 * The documents whose ids start with a prefix. The service's own records are all that is remembered from one run to
 * the next: so a run on another machine, or after the loss of this one, sends only what has changed too.
 */
export async function readHoldings(
  client: HeadwaterClient,
  idPrefix: string,
  signal: AbortSignal,
): Promise<Map<string, HeldDocument>> {
  const held = new Map<string, HeldDocument>();
  let pageToken = "";
  do {
    const page = await client.documents.list({ idPrefix, pageSize: 1000, pageToken, signal });
    for (const document of page.documents) held.set(document.id, toHeld(document));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return held;
}

function toHeld(document: Document): HeldDocument {
  const { id, uri, sizeBytes, contentSha256, observedTime, attributes, failure } = document;
  return { id, uri, sizeBytes, contentSha256, observedTime, attributes, failure };
}
