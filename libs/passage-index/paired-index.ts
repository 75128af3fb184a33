import type { GenerationDescription } from "./engine.ts";
import { checkDimensions, checkLimit, readOnlyError } from "./index-errors.ts";
import { listPairedDocuments } from "./paired-listing.ts";
import { PairedReader } from "./paired-reader.ts";
import { sweep } from "./paired-sweep.ts";
import type { PairedParts } from "./paired-writer.ts";
import { PairedWriter } from "./paired-writer.ts";
import type {
  DocumentKey,
  DocumentPassages,
  IndexedDocument,
  IndexFingerprint,
  PassageFilter,
  PassageIndex,
  ScoredPassage,
} from "./passage-index.ts";

export interface PairedIndexOptions extends Omit<PairedParts, "dimensions"> {
  readonly description: GenerationDescription;
  readonly readOnly: boolean;
  /** A search failed: the generation may be gone. */
  readonly onSearchFailed: () => void;
}

/** One generation in two engines, made one by a ledger; see docs/decisions/0007-paired-index.md. */
export class PairedIndex implements PassageIndex {
  readonly generation: string;
  readonly fingerprint: IndexFingerprint;
  readonly dimensions: number;
  readonly #options: PairedIndexOptions;
  readonly #parts: PairedParts;
  readonly #reader: PairedReader;
  readonly #writer: PairedWriter;

  constructor(options: PairedIndexOptions) {
    const { generation, fingerprint, dimensions } = options.description;
    this.generation = generation;
    this.fingerprint = fingerprint;
    this.dimensions = dimensions;
    this.#options = options;
    this.#parts = { ...options, dimensions };
    this.#reader = new PairedReader(options);
    this.#writer = new PairedWriter(this.#parts);
  }

  async searchLexical(
    query: string,
    filter: PassageFilter,
    limit: number,
    signal?: AbortSignal,
  ): Promise<ScoredPassage[]> {
    checkLimit(limit);
    return this.#search(() => this.#reader.searchLexical(query, filter, limit, signal), signal);
  }

  async searchVector(
    vector: Float32Array,
    filter: PassageFilter,
    limit: number,
    signal?: AbortSignal,
  ): Promise<ScoredPassage[]> {
    checkLimit(limit);
    checkDimensions(vector, this.dimensions);
    return this.#search(() => this.#reader.searchVector(vector, filter, limit, signal), signal);
  }

  async replace(documents: readonly DocumentPassages[]): Promise<void> {
    this.#checkWritable();
    await this.#writer.replace(documents);
  }

  async remove(documents: readonly DocumentKey[]): Promise<void> {
    this.#checkWritable();
    await this.#writer.remove(documents);
  }

  count(): Promise<number> {
    return this.#parts.ledger.count();
  }

  async *listDocuments(tenant?: string, documentIds?: readonly string[]): AsyncIterable<IndexedDocument> {
    if (documentIds?.length !== 0) yield* listPairedDocuments(this.#parts, tenant, documentIds);
  }

  async optimize(): Promise<void> {
    this.#checkWritable();
    await sweep(this.#parts);
    await Promise.all([this.#parts.lexical.optimize(), this.#parts.vector.optimize()]);
  }

  /** What `optimize` begins with, for a generation that serves. @param signal ends it early, with an AbortError */
  async sweep(signal: AbortSignal): Promise<void> {
    await sweep(this.#parts, Date.now(), signal);
  }

  async #search(
    work: () => Promise<ScoredPassage[]>,
    signal: AbortSignal | undefined,
  ): Promise<ScoredPassage[]> {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (thrown) {
      if (!signal?.aborted) this.#options.onSearchFailed();
      throw thrown;
    }
  }

  #checkWritable(): void {
    if (this.#options.readOnly) throw readOnlyError();
  }
}
