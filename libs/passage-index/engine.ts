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

/**
 * Which writing of a document: a whole number up to 2^53 - 1. No two attempts at writing a document ever have the same
 * one, and a later writing has a higher one; see `RevisionClock`.
 */
export interface DocumentRevision extends DocumentKey {
  readonly revision: number;
}

export interface RevisedPassages extends DocumentPassages, DocumentRevision {}

export interface RevisedHit extends ScoredPassage {
  readonly revision: number;
}

/**
 * Hits that an engine may be asked for: more than the port's limit, as hits of revisions that nobody is to see have to be
 * passed over. Elasticsearch's `index.max_result_window`.
 */
export const maxEngineLimit = 10_000;

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
  /**
   * Every revision of every document, of one tenant's, or of those only the named ones (1 to 1,000), in no order; each
   * once, or in parts whose passages add up to it.
   */
  list(tenant?: string, documentIds?: readonly string[]): AsyncIterable<HeldRevision>;
  optimize(): Promise<void>;
}

/** BM25. */
export interface LexicalEngine extends PassageEngine {
  /** As `PassageIndex.searchLexical`, over all revisions; `limit` is 1 to `maxEngineLimit`. */
  search(query: string, filter: PassageFilter, limit: number, signal?: AbortSignal): Promise<RevisedHit[]>;
}

export interface VectorSearchOptions {
  /** True: only revisions that `markVisible` was called for. For when the ledger cannot be asked. */
  readonly visibleOnly: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** ANN. */
export interface VectorEngine extends PassageEngine {
  /** As `PassageIndex.searchVector`, over all revisions unless told otherwise; `limit` is 1 to `maxEngineLimit`. */
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
