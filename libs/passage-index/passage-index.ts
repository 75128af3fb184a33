/** Which document. */
export interface DocumentKey {
  readonly tenant: string;
  readonly documentId: string;
}

/** A piece of a document, as both indexes hold it. */
export interface Passage extends DocumentKey {
  /** From `passageId`. */
  readonly id: string;
  readonly version: number;
  /** From 0 within its document version. */
  readonly ordinal: number;
  readonly text: string;
  readonly title: string;
  readonly uri: string;
  readonly mediaType: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Unix milliseconds. */
  readonly observedAt: number;
  /** Offsets into the extracted text of the document, UTF-16 code units, half-open. */
  readonly start: number;
  readonly end: number;
  /** From 1; 0: the format has no pages. */
  readonly page: number;
  /** Outermost heading first. */
  readonly headingPath: readonly string[];
}

export interface EmbeddedPassage extends Passage {
  /** Of length 1, `dimensions` long. */
  readonly vector: Float32Array;
}

/** All passages of one version of one document. */
export interface DocumentPassages extends DocumentKey {
  readonly version: number;
  readonly passages: readonly EmbeddedPassage[];
}

/** Applied inside the engine. Fields are joined by AND, values of one field by OR; an empty list is no condition. */
export interface PassageFilter {
  readonly tenant: string;
  readonly attributes?: readonly { readonly key: string; readonly values: readonly string[] }[];
  readonly mediaTypes?: readonly string[];
  readonly documentIds?: readonly string[];
  /** Unix milliseconds, inclusive. */
  readonly observedFrom?: number;
  /** Unix milliseconds, exclusive. */
  readonly observedBefore?: number;
}

export interface ScoredPassage {
  readonly passage: Passage;
  /** Lexical: BM25. Vector: cosine. Higher is better; not comparable between the two. */
  readonly score: number;
  /** The passage's own vector, of length 1; only from `searchVector`. */
  readonly vector?: Float32Array;
}

/** What an index was made with. Vectors of different models, and passages of different chunkings, must not mix. */
export interface IndexFingerprint {
  /** Of model, pooling, prefix and dimensions, from the embedding-worker's Describe. */
  readonly model: string;
  /** Of the chunking settings. */
  readonly chunking: string;
}

/** What `listDocuments` says of a document: for reconciling the indexes with the originals. */
export interface IndexedDocument extends DocumentKey {
  readonly version: number;
  readonly lexicalPassages: number;
  readonly vectorPassages: number;
}

/** One generation of the lexical (BM25) and the vector (ANN) index, which change together. */
export interface PassageIndex {
  readonly generation: string;
  readonly fingerprint: IndexFingerprint;
  readonly dimensions: number;
  /**
   * Best first, at most `limit` (1 to 1,000); equal scores in order of id. The query is plain words, never the
   * engine's query language. Title and text are searched.
   */
  searchLexical(
    query: string,
    filter: PassageFilter,
    limit: number,
    signal?: AbortSignal,
  ): Promise<ScoredPassage[]>;
  /** Best first, at most `limit` (1 to 1,000); equal scores in order of id. */
  searchVector(
    vector: Float32Array,
    filter: PassageFilter,
    limit: number,
    signal?: AbortSignal,
  ): Promise<ScoredPassage[]>;
  /**
   * Writes document versions and removes all other versions of the same documents. Durable in both indexes on
   * return; a reader sees each document either as it was or as it is, never half and half. Writing the same again
   * changes nothing. A document without passages is removed.
   */
  replace(documents: readonly DocumentPassages[]): Promise<void>;
  /** Removes documents; durable on return; unknown ones are passed over. */
  remove(documents: readonly DocumentKey[]): Promise<void>;
  /** Passages in the index. */
  count(): Promise<number>;
  /**
   * All documents, those of one tenant, or of those only the named ones (at most 1,000), in no order. A document that
   * is there in several versions, which only damage can bring about, comes once for each.
   */
  listDocuments(tenant?: string, documentIds?: readonly string[]): AsyncIterable<IndexedDocument>;
  /** Housekeeping (compaction, training of the ANN index) after many writes; searches go on meanwhile. */
  optimize(): Promise<void>;
}

/** What there is to know of a generation without opening it. */
export interface GenerationInfo {
  readonly generation: string;
  readonly fingerprint: IndexFingerprint;
  readonly dimensions: number;
  /** True: this is the one that serves. */
  readonly active: boolean;
}

/**
 * Port: the indexes of all passages. One generation serves at a time; a reindex fills a new one beside it and then
 * switches in one step.
 */
export interface PassageIndexStore {
  /** The generation that serves; undefined before the first. Cheap: asked on every search, notices a switch. */
  active(): Promise<PassageIndex | undefined>;
  /** Makes an empty generation. It does not serve until `activate`. */
  create(fingerprint: IndexFingerprint, dimensions: number): Promise<PassageIndex>;
  /** All generations, in no order. */
  generations(): Promise<readonly GenerationInfo[]>;
  /** A generation, whether it serves or not, to read and to write; undefined where there is none of that name. */
  open(generation: string): Promise<PassageIndex | undefined>;
  /** Makes `index` the one that serves, in one step. The one before stays until `dropInactive`. */
  activate(index: PassageIndex): Promise<void>;
  /** Removes all generations but the one that serves. */
  dropInactive(): Promise<void>;
  /**
   * @param need `every` engine, as writing does, which is the default; `any`, as searching does
   * @throws HeadwaterError UNAVAILABLE when an engine that is needed cannot be reached
   */
  checkHealth(need?: "every" | "any"): Promise<void>;
  close(): Promise<void>;
}

/** Stable id of a passage; the parts are escaped so that two passages never share one. */
export function passageId(tenant: string, documentId: string, version: number, ordinal: number): string {
  return `${tenant}/${encodeURIComponent(documentId)}/${version}/${ordinal}`;
}
