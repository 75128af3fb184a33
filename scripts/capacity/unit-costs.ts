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

/**
 * Of `headwater bench units` as shares of what a passage costs the embedding-worker in the same run, times the 25 ms that it
 * costs on a quiet machine (`headwater bench embedding`): docs/capacity.md has the run.
 */
const measured = {
  passage: { ingest: 6, embeddingWorker: 25 },
  search: { gateway: 4, generation: 0, search: 24, embeddingWorker: 9.5 },
  answer: { gateway: 1.5, generation: 6.5, search: 16.5, embeddingWorker: 41 },
  elasticsearchMs: 12.5,
  elasticsearchBytes: 1300,
  catalogBytes: 1500,
  residentGigabytes: { gateway: 0.18, generation: 0.19, search: 0.4, embeddingWorker: 0.48, ingest: 0.3 },
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
