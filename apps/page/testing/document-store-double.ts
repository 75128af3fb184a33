import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { DocumentSchema } from "@headwater/proto/connect/headwater/v1/ingest";
import { DocumentState } from "@headwater/proto/connect/headwater/v1/ingest";

/** A document as a test puts it in. */
export interface SeedDocument {
  readonly id: string;
  readonly title?: string;
  readonly mediaType: string;
  readonly text: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface StoredDocument extends SeedDocument {
  version: number;
  state: DocumentState;
  failure: { stage: string; reason: string; message: string; attempts: number } | undefined;
  updated: Date;
}

/** Passages of a document: its paragraphs. */
export interface StoredPassage {
  readonly document: StoredDocument;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly headings: readonly string[];
}

/** Documents in memory, whose states the tests move on; listeners hear of each change. */
export class DocumentStoreDouble {
  readonly documents = new Map<string, StoredDocument>();
  readonly #listeners = new Set<(document: StoredDocument) => void>();
  #version = Date.now();

  put(seed: SeedDocument, state: DocumentState): StoredDocument {
    this.#version += 1;
    const stored = { ...seed, version: this.#version, state, failure: undefined, updated: new Date() };
    this.documents.set(seed.id, stored);
    this.#tell(stored);
    return stored;
  }

  move(id: string, state: DocumentState, failure?: StoredDocument["failure"]): void {
    const stored = this.documents.get(id);
    if (!stored) return;
    stored.state = state;
    stored.failure = failure;
    stored.updated = new Date();
    this.#tell(stored);
  }

  listen(listener: (document: StoredDocument) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  inState(state: DocumentState): StoredDocument[] {
    return [...this.documents.values()].filter((document) => document.state === state);
  }

  passages(): StoredPassage[] {
    return this.inState(DocumentState.INDEXED).flatMap(passagesOf);
  }

  #tell(document: StoredDocument): void {
    for (const listener of this.#listeners) listener(document);
  }
}

export function passagesOf(document: StoredDocument): StoredPassage[] {
  const passages: StoredPassage[] = [];
  let headings: string[] = [];
  for (const match of document.text.matchAll(/\S[\s\S]*?(?=\n\s*\n|\s*$)/g)) {
    const [text] = match;
    const heading = /^(#+) (.*)$/.exec(text);
    if (heading?.[1] && heading[2]) headings = [...headings.slice(0, heading[1].length - 1), heading[2]];
    else passages.push({ document, start: match.index, end: match.index + text.length, text, headings });
  }
  return passages;
}

export function metadataMessage(stored: StoredDocument) {
  return {
    id: stored.id,
    version: BigInt(stored.version),
    title: stored.title ?? "",
    mediaType: stored.mediaType,
    attributes: { ...stored.attributes },
  };
}

export function documentMessage(stored: StoredDocument): MessageInitShape<typeof DocumentSchema> {
  const indexed = stored.state === DocumentState.INDEXED;
  return {
    metadata: metadataMessage(stored),
    state: stored.state,
    ...(stored.failure ? { failure: stored.failure } : {}),
    sizeBytes: BigInt(new TextEncoder().encode(stored.text).length),
    passages: indexed ? passagesOf(stored).length : 0,
    textLength: indexed ? stored.text.length : 0,
    updatedTime: timestampFromDate(stored.updated),
  };
}
