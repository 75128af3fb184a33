import type { Table } from "@lancedb/lancedb";
import { Index } from "@lancedb/lancedb";
import type { LanceHandle } from "./lance-handle.ts";

/**
 * Rows that no index covers are found, but one by one, and with word statistics that leave them out: 100 of them add
 * 12 ms of processor time to a lexical search, and with 1,000 BM25's nDCG@10 on Cranfield falls from 0.531 to 0.524.
 */
const maxUnindexedRows = 250;
/**
 * Each commit leaves a fragment and a manifest, which every search has to look at: 90 commits of a row each add 25 ms of
 * processor time to a lexical search that takes 5, and a run that takes them in costs 70.
 */
const maxCommits = 16;
/** After the last write; a burst of writes then costs one run. */
const idleMs = 1000;
/** Times as long as a run took nothing is run after it: under a tenth of one core's time goes into housekeeping. */
const restFactor = 10;
/** Each run adds a small graph beside the others, and a search visits all of them; 7 of them added 1.5 ms. */
const maxVectorGraphs = 16;
/** A search that began on an older version must be able to end on it. */
const versionRetentionMs = 60_000;

export interface HousekeepingOptions {
  readonly handle: LanceHandle;
  /** Rows from which on the table gets an ANN index. */
  readonly minRowsForVectorIndex: number;
  /** Told of a run in the background that failed; the next one tries again. */
  readonly onError: (error: unknown) => void;
}

/** Compacts a table and brings its indexes up to date, in the background, while searches and writes go on. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  #rows = 0;
  #commits = 0;
  #run: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** `performance.now()` before which no run starts by itself. */
  #restUntil = 0;
  #closed = false;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
  }

  /** To be told of each commit. */
  wrote(rows: number): void {
    this.#rows += rows;
    this.#commits += 1;
    this.#schedule();
  }

  /** Looks at what an earlier process left to do. */
  begin(): void {
    this.#commits += 1;
    this.#schedule();
  }

  /** Runs now and to the end; throws what goes wrong. */
  async runNow(): Promise<void> {
    while (this.#run !== undefined) await this.#run.catch(() => {});
    this.#run = this.#tidy();
    await this.#run;
  }

  /** Starts nothing more, and waits at most `graceMs` for what runs: it is safe to be cut. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    if (!this.#run) return;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    await Promise.race([this.#run.catch(() => {}), patience]);
    clearTimeout(timer);
  }

  #schedule(): void {
    if (this.#run || this.#closed || this.#commits === 0) return;
    const urgent = this.#rows >= maxUnindexedRows || this.#commits >= maxCommits;
    const delay = Math.max(urgent ? 0 : idleMs, this.#restUntil - performance.now());
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#start(), delay);
    this.#timer.unref();
  }

  #start(): void {
    if (this.#run || this.#closed) return;
    this.#run = this.#tidy();
    this.#run.catch((error: unknown) => {
      if (!this.#closed) this.#options.onError(error);
    });
  }

  async #tidy(): Promise<void> {
    clearTimeout(this.#timer);
    const started = performance.now();
    try {
      this.#rows = 0;
      this.#commits = 0;
      const cleanupOlderThan = new Date(Date.now() - versionRetentionMs);
      await this.#options.handle.use(async (table) => {
        await table.optimize({ cleanupOlderThan });
        await this.#trainVectorIndex(table);
      });
    } finally {
      const now = performance.now();
      this.#restUntil = now + restFactor * (now - started);
      this.#run = undefined;
      this.#schedule();
    }
  }

  async #trainVectorIndex(table: Table): Promise<void> {
    if ((await table.countRows()) < this.#options.minRowsForVectorIndex) return;
    const present = await table.indexStats("vector_idx");
    if (present && (present.numIndices ?? 1) <= maxVectorGraphs) return;
    await table.createIndex("vector", {
      config: Index.hnswSq({ distanceType: "cosine", numPartitions: 1, m: 20, efConstruction: 150 }),
    });
  }
}
