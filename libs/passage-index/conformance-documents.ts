import { embeddingText } from "./embedding-text.ts";
import type { DocumentPassages, EmbeddedPassage } from "./passage-index.ts";
import { passageId } from "./passage-index.ts";

/** Of the vectors of the conformance suite: few, as no test needs more. */
export const dimensions = 16;

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
  /** First components of the vector of each passage; default: made from the words. */
  readonly vector?: readonly number[];
}

export function sample(document: SampleDocument): DocumentPassages {
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
    start += text.length;
    const vector = document.vector ? unit(document.vector) : vectorOf(embeddingText(passage));
    return { ...passage, vector };
  });
  return { tenant, documentId, version, passages };
}

/** A vector of length 1 that is nearer to another the more characters their texts share. */
export function vectorOf(text: string): Float32Array {
  const counts = new Array<number>(dimensions).fill(0.01);
  for (const character of text) {
    const place = (character.codePointAt(0) ?? 0) % dimensions;
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return unit(counts);
}

function unit(components: readonly number[]): Float32Array {
  const vector = new Float32Array(dimensions);
  vector.set(components);
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
