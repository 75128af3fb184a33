/** What one of something costs. Milliseconds are of processors, bytes before any copy. */
export interface UnitCosts {
  readonly passage: { readonly ingest: number; readonly embeddingWorker: number };
  /** With the usual rerank, of a query that was not known before. */
  readonly search: PerService;
  /** Its search included, without a language model's own time. */
  readonly answer: PerService;
  /** Of one search in the one shard that it asks. */
  readonly elasticsearchMs: number;
  readonly elasticsearchBytes: number;
  /** Of one search in one shard. */
  readonly qdrantMs: number;
  readonly qdrantMemoryBytes: number;
  readonly qdrantDiskBytes: number;
  /** Of a document in PostgreSQL. */
  readonly catalogBytes: number;
  /** Of an embedding-worker's pod. */
  readonly workerCores: number;
  readonly residentGigabytes: Readonly<
    Record<"gateway" | "generation" | "search" | "embeddingWorker" | "ingest", number>
  >;
}

interface PerService {
  readonly gateway: number;
  readonly generation: number;
  readonly search: number;
  readonly embeddingWorker: number;
}

/** Of `headwater bench units --texts 2400` on a quiet machine: docs/capacity.md has the run. */
const measured = {
  passage: { ingest: 2.3, embeddingWorker: 26.5 },
  search: { gateway: 4.7, generation: 0.4, search: 28.5, embeddingWorker: 14.7 },
  answer: { gateway: 3.8, generation: 10.5, search: 27.6, embeddingWorker: 96 },
  // The mean of the three kinds of search.
  elasticsearchMs: 14,
  elasticsearchBytes: 1010,
  catalogBytes: 1480,
  residentGigabytes: { gateway: 0.33, generation: 0.35, search: 0.6, embeddingWorker: 0.75, ingest: 0.3 },
};

const dimensions = 384;

/** By Qdrant's own formulas (docs/capacity.md links them), with int8 vectors in memory and full ones on disk. */
const documented = {
  qdrantMemoryBytes: dimensions * 1 * 1.5,
  // Full vector and payload: a passage's payload here is its ids and attributes, some 300 bytes.
  qdrantDiskBytes: (dimensions * 4 + dimensions + 300) * 1.5,
};

/** Neither measured nor documented; measure them on your own servers before you rely on the last columns. */
const assumed = {
  // HNSW with ef 128 over 50 M int8 vectors, scored again with full ones.
  qdrantMs: 5,
  workerCores: 4,
};

export const unitCosts: UnitCosts = { ...measured, ...documented, ...assumed };
