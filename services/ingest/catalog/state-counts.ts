import type { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";

type Counts = ReadonlyMap<DocumentState, number>;

/** Share of the time that counting may take, at most: a count is good for this many times as long as it took. */
const restFactor = 20;
const maxTenants = 1000;

/** Counts of documents by state, for people who ask again and again: exact for few documents, a little late for many. */
export class StateCounts {
  readonly #count: (tenant: string) => Promise<Counts>;
  readonly #known = new Map<string, { readonly counts: Promise<Counts>; goodUntil: number }>();

  constructor(count: (tenant: string) => Promise<Counts>) {
    this.#count = count;
  }

  get(tenant: string): Promise<Counts> {
    const known = this.#known.get(tenant);
    const started = performance.now();
    if (known && started < known.goodUntil) return known.counts;
    const counts = this.#count(tenant);
    // While it is being counted, others share it.
    const entry = { counts, goodUntil: Number.POSITIVE_INFINITY };
    counts.then(
      () => {
        const now = performance.now();
        entry.goodUntil = now - started < 2 ? now : now + restFactor * (now - started);
      },
      () => this.#known.delete(tenant),
    );
    if (this.#known.size >= maxTenants) this.#known.clear();
    this.#known.set(tenant, entry);
    return counts;
  }
}
