import { embeddingText } from "../embedding-text.ts";
import type { DocumentPassages, EmbeddedPassage } from "../passage-index.ts";
import { passageId } from "../passage-index.ts";

/** What a test says of a document; the rest has a default. */
export interface SampleDocument {
  readonly id: string;
  /** One a passage. */
  readonly texts: readonly string[];
  readonly tenant?: string;
  readonly version?: number;
  readonly title?: string;
  readonly mediaType?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly observedAt?: number;
  readonly page?: number;
  readonly headingPath?: readonly string[];
}

/** @param vectorOf of a passage's embedding text */
export function samplePassages(
  document: SampleDocument,
  vectorOf: (text: string) => Float32Array,
): DocumentPassages {
  const { id: documentId, tenant = "default", version = 1 } = document;
  let start = 0;
  const passages = document.texts.map((text, ordinal): EmbeddedPassage => {
    const passage = {
      id: passageId(tenant, documentId, version, ordinal),
      tenant,
      documentId,
      version,
      ordinal,
      text,
      title: document.title ?? "",
      uri: `file:///${documentId}`,
      mediaType: document.mediaType ?? "text/plain",
      attributes: document.attributes ?? {},
      observedAt: document.observedAt ?? 1_700_000_000_000,
      start,
      end: start + text.length,
      page: document.page ?? 0,
      headingPath: document.headingPath ?? [],
    };
    start += text.length + 1;
    return { ...passage, vector: vectorOf(embeddingText(passage)) };
  });
  return { tenant, documentId, version, passages };
}
