import { PeriodicWork } from "@headwater/resilience";
import type { EngineStore, GenerationDescription, LexicalEngine, VectorEngine } from "./engine.ts";
import { readOnlyError } from "./index-errors.ts";
import type { Ledger } from "./ledger.ts";
import { PairedIndex } from "./paired-index.ts";
import type { GenerationInfo, IndexFingerprint, PassageIndex, PassageIndexStore } from "./passage-index.ts";
import { RevisionClock } from "./revision-clock.ts";
import { ServingGeneration } from "./serving-generation.ts";

/** The lexical engine keeps the ledger too: it is made, found and dropped with the generation. */
export interface LexicalStore extends EngineStore<LexicalEngine> {
  /** Of a generation that is there. Asks nothing of the server. */
  ledger(generation: string): Ledger;
}

export interface PairedStoreOptions {
  readonly lexical: LexicalStore;
  readonly vector: EngineStore<VectorEngine>;
  /** True: writes are refused. Several processes may read, and several may write. */
  readonly readOnly?: boolean;
  /** Milliseconds for which the name of the generation that serves is kept. Default: 1,000. 0: asked every time. */
  readonly activeForMs?: number;
  /**
   * Milliseconds until what dead writers left behind is first looked for, and then from one time to the next; a reader
   * never does. Default: 15 to 30 minutes, so that processes that start together do not do it together; 12 hours.
   */
  readonly sweepAfterMs?: number;
  readonly sweepEveryMs?: number;
  /** Told of what went wrong in the background and is tried again. */
  readonly onError: (error: unknown) => void;
}

/** Of an hour. */
const quarterMs = 15 * 60_000;

export class PairedStore implements PassageIndexStore {
  readonly #options: PairedStoreOptions;
  readonly #serving: ServingGeneration;
  readonly #clock = new RevisionClock();
  readonly #opened = new Map<string, PairedIndex>();
  readonly #sweeping: PeriodicWork | undefined;

  constructor(options: PairedStoreOptions) {
    this.#options = options;
    this.#serving = new ServingGeneration(options);
    const { readOnly, onError } = options;
    if (readOnly) return;
    this.#sweeping = new PeriodicWork({
      firstAfterMs: options.sweepAfterMs ?? quarterMs * (1 + Math.random()),
      everyMs: options.sweepEveryMs ?? 48 * quarterMs,
      work: async (signal) => (await this.active())?.sweep(signal),
      onError,
    });
  }

  async active(): Promise<PairedIndex | undefined> {
    const description = await this.#serving.get();
    if (!description) return undefined;
    // A reader keeps nothing of a generation that serves no more; searches under way hold on to theirs until they end.
    if (this.#options.readOnly && !this.#opened.has(description.generation)) this.#opened.clear();
    return this.#open(description);
  }

  async create(fingerprint: IndexFingerprint, dimensions: number): Promise<PassageIndex> {
    this.#checkWritable();
    // In order of time, so that people can tell which is newer.
    const generation = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
    const description = { generation, fingerprint, dimensions };
    const { lexical, vector } = this.#options;
    // What is made of it when the other fails, `dropInactive` removes.
    await Promise.all([lexical.create(description), vector.create(description)]);
    return this.#open(description);
  }

  async generations(): Promise<GenerationInfo[]> {
    const active = await this.#options.lexical.active();
    return (await this.#whole()).map((description) => ({
      ...description,
      active: description.generation === active?.generation,
    }));
  }

  async open(generation: string): Promise<PassageIndex | undefined> {
    const description = (await this.#whole()).find((one) => one.generation === generation);
    return description && this.#open(description);
  }

  async activate({ generation, fingerprint, dimensions }: PassageIndex): Promise<void> {
    this.#checkWritable();
    await this.#serving.set({ generation, fingerprint, dimensions });
  }

  async dropInactive(): Promise<void> {
    this.#checkWritable();
    const { lexical, vector } = this.#options;
    // Asked of the one that decides: nothing is dropped by what was true a second ago.
    const active = await lexical.active();
    const all = await Promise.all([lexical.list(), vector.list()]);
    for (const generation of new Set(all.flat().map((one) => one.generation))) {
      if (generation === active?.generation) continue;
      this.#opened.delete(generation);
      await Promise.all([lexical.drop(generation), vector.drop(generation)]);
    }
  }

  async checkHealth(need: "every" | "any" = "every"): Promise<void> {
    const { lexical, vector } = this.#options;
    const checks = await Promise.allSettled([lexical.checkHealth(), vector.checkHealth()]);
    const failed = checks.filter((check) => check.status === "rejected");
    if (failed[0] && (need === "every" || failed.length === checks.length)) throw failed[0].reason;
  }

  async close(): Promise<void> {
    await this.#sweeping?.close();
    await Promise.all([this.#options.lexical.close(), this.#options.vector.close()]);
  }

  /** Generations that both engines have. */
  async #whole(): Promise<GenerationDescription[]> {
    const { lexical, vector } = this.#options;
    const [texts, vectors] = await Promise.all([lexical.list(), vector.list()]);
    const both = new Set(vectors.map(({ generation }) => generation));
    return texts.filter(({ generation }) => both.has(generation));
  }

  #open(description: GenerationDescription): PairedIndex {
    const { generation } = description;
    const { lexical, vector, readOnly = false } = this.#options;
    const opened =
      this.#opened.get(generation) ??
      new PairedIndex({
        ...{ description, readOnly, clock: this.#clock },
        lexical: lexical.open(description),
        vector: vector.open(description),
        ledger: lexical.ledger(generation),
        onSearchFailed: () => this.#serving.forget(),
      });
    this.#opened.set(generation, opened);
    return opened;
  }

  #checkWritable(): void {
    if (this.#options.readOnly) throw readOnlyError();
  }
}
