import { createHash } from "node:crypto";
import { attributeLabel, documentKey } from "./document-key.ts";
import type { RevisedHit } from "./engine.ts";
import type { EmbeddedPassage, Passage } from "./passage-index.ts";

/** A passage as Elasticsearch keeps it; see `passagesIndex`. */
export interface PassageSource {
  readonly id: string;
  readonly tenant: string;
  readonly document: string;
  readonly revision: number;
  readonly version: number;
  readonly media_type: string;
  readonly attributes: readonly string[];
  readonly observed_at: number;
  readonly title: string;
  readonly headings: string;
  readonly text: string;
  /** JSON of a StoredPassage. */
  readonly passage: string;
}

/** A passage without its text where that is the same as what is searched. */
type StoredPassage = Omit<Passage, "text"> & { readonly text?: string };

/** Characters; Elasticsearch takes keywords of up to 32,766 bytes, and filters on short ones are faster. */
const maxLabel = 256;

export function toSource(passage: EmbeddedPassage, revision: number): PassageSource {
  const { vector: _, text, ...rest } = passage;
  const spoken = toSpoken(text);
  const stored: StoredPassage = spoken === text ? rest : { ...rest, text };
  return {
    id: passage.id,
    tenant: passage.tenant,
    document: documentKey(passage),
    revision,
    version: passage.version,
    media_type: passage.mediaType,
    attributes: Object.entries(passage.attributes).map(([key, value]) => toLabel(key, value)),
    observed_at: passage.observedAt,
    title: toSpoken(passage.title),
    headings: toSpoken(passage.headingPath.join("\n")),
    text: spoken,
    passage: JSON.stringify(stored),
  };
}

export function toHit({ passage, text, revision }: PassageSource, score: number): RevisedHit {
  // Written by toSource.
  const stored = JSON.parse(passage) as StoredPassage;
  return { passage: { text, ...stored }, score, revision };
}

/** Elasticsearch's name of a revision of a passage; ids of passages are longer than the 512 bytes that it takes. */
export function entryId(passage: string, revision: number): string {
  return createHash("sha256").update(`${passage} ${revision}`).digest("base64url");
}

/** An attribute as one keyword. */
export function toLabel(key: string, value: string): string {
  const label = attributeLabel(key, value);
  return label.length <= maxLabel ? label : createHash("sha256").update(label).digest("base64url");
}

/** Cuts snake_case, a.b and a:b, as code is asked for; the tokenizer takes each for one word. */
export function toSpoken(text: string): string {
  return text.replace(/_|(?<=\p{L})[.:](?=\p{L})/gu, " ");
}
