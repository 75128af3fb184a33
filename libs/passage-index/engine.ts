import type {
  DocumentKey,
  DocumentPassages,
  IndexFingerprint,
  PassageFilter,
  ScoredPassage,
} from "./passage-index.ts";

/*
 * What the two engines of the production index, Elasticsearch and Qdrant, each do on their own. `PairedIndex` makes one
 * index of them: it writes a document to both under a new revision, and then names that revision in the ledger, in one
 * step, as the one that readers see. Until then, and when a writer dies before, nobody sees what was written.
 */

/** Which writing of a document: 1 for the first, one more for each time that it was written or removed. */
export interface DocumentRevision extends DocumentKey {
  readonly revision: number;
}

export interface RevisedPassages extends DocumentPassages, DocumentRevision {}

export interface RevisedHit extends ScoredPassage {
  readonly revision: number;
}

/** What an engine holds of one revision of one document. */
export interface HeldRevision extends DocumentRevision {
  readonly version: number;
  readonly passages: number;
}

/** One generation of passages in one engine. Methods throw HeadwaterError. */
export interface PassageEngine {
  /** Durable and searchable on return. Entries are named by passage id and revision: the same again is harmless. */
  write(documents: readonly RevisedPassages[]): Promise<void>;
  /** Removes all revisions of each document below the one given. */
  removeBelow(documents: readonly DocumentRevision[]): Promise<void>;
  /** Removes exactly these revisions. */
  removeRevisions(revisions: readonly DocumentRevision[]): Promise<void>;
  /** Of every revision. */
  count(): Promise<number>;
  /** Every revision of every document, or of one tenant's, in no order; each once. */
  list(tenant?: string): AsyncIterable<HeldRevision>;
  optimize(): Promise<void>;
}

/** BM25. */
export interface LexicalEngine extends PassageEngine {
  /** As `PassageIndex.searchLexical`, over all revisions. */
  search(query: string, filter: PassageFilter, limit: number, signal?: AbortSignal): Promise<RevisedHit[]>;
}

export interface VectorSearchOptions {
  /** True: only revisions that `markVisible` was called for. For when the ledger cannot be asked. */
  readonly visibleOnly: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** ANN. */
export interface VectorEngine extends PassageEngine {
  /** As `PassageIndex.searchVector`, over all revisions unless told otherwise. */
  search(
    vector: Float32Array,
    filter: PassageFilter,
    limit: number,
    options: VectorSearchOptions,
  ): Promise<RevisedHit[]>;
  /** The ledger names these revisions. Called after the ledger was written, before older revisions go. */
  markVisible(revisions: readonly DocumentRevision[]): Promise<void>;
}

/** What is stored with each generation, in each engine. */
export interface GenerationDescription {
  readonly generation: string;
  readonly fingerprint: IndexFingerprint;
  readonly dimensions: number;
}

/** The generations of one engine; the one that an alias names serves. */
export interface EngineStore<Engine extends PassageEngine> {
  /** Makes an empty generation; done already is harmless. */
  create(description: GenerationDescription): Promise<Engine>;
  /** One that is there. Asks nothing of the server. */
  open(description: GenerationDescription): Engine;
  /** What the alias names; undefined where there is none. */
  active(): Promise<GenerationDescription | undefined>;
  /** Moves the alias, in one step. */
  activate(generation: string): Promise<void>;
  list(): Promise<GenerationDescription[]>;
  /** What is not there is passed over. */
  drop(generation: string): Promise<void>;
  /** @throws HeadwaterError UNAVAILABLE */
  checkHealth(): Promise<void>;
  close(): Promise<void>;
}
