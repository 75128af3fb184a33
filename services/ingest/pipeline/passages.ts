import type { DocumentPassages, EmbeddedPassage, Passage } from "@headwater/passage-index";
import { embeddingText, passageId } from "@headwater/passage-index";
import { clampToGraphemes } from "@headwater/text";
import type { DocumentDescription } from "../catalog/document-record.ts";
import type { TextSource } from "../embedding/embed-task.ts";
import type { ProcessedDocument } from "../processor/document-processor.ts";

export interface DocumentVersion {
  readonly tenant: string;
  readonly documentId: string;
  readonly version: number;
}

/** What is known of a document once it has been parsed: what its sender said counts more than what it says itself. */
export function describe(
  declared: { title: string; uri: string; attributes: Readonly<Record<string, string>>; observedAt: number },
  processed: ProcessedDocument,
): DocumentDescription {
  return {
    title: declared.title || clipTitle(processed.title),
    uri: declared.uri,
    mediaType: processed.mediaType,
    attributes: declared.attributes,
    observedAt: declared.observedAt,
  };
}

/** Texts are made only when they are sent, so a large document costs no second copy of itself. */
export function textsToEmbed(title: string, { passages }: ProcessedDocument): TextSource {
  return {
    length: passages.length,
    tokens: passages.reduce((sum, { tokens }) => sum + tokens, 0),
    text: (place) => {
      const passage = passages[place];
      if (!passage) throw new RangeError(`there is no passage ${place}`);
      return embeddingText({ title, headingPath: passage.headingPath, text: passage.text });
    },
  };
}

export function toDocumentPassages(
  version: DocumentVersion,
  description: DocumentDescription,
  processed: ProcessedDocument,
  vectors: readonly Float32Array[],
): DocumentPassages {
  const { tenant, documentId } = version;
  const passages = processed.passages.map((passage, ordinal): EmbeddedPassage => {
    const vector = vectors[ordinal];
    if (!vector) throw new RangeError(`there is no vector for passage ${ordinal}`);
    const { text, start, end, page, headingPath } = passage;
    const bare: Passage = {
      id: passageId(tenant, documentId, version.version, ordinal),
      ...{ tenant, documentId, version: version.version, ordinal },
      ...description,
      ...{ text, start, end, page, headingPath },
    };
    return { ...bare, vector };
  });
  return { tenant, documentId, version: version.version, passages };
}

/** The contract's bound of 1,024 bytes: no code unit takes more than three. */
function clipTitle(title: string): string {
  const plain = title.replace(/\p{Cc}+/gu, " ").trim();
  return plain.slice(0, clampToGraphemes(plain, 0, 341).end);
}
