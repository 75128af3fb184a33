import { HeadwaterError, status } from "@headwater/errors";
import type { PassageIndex, PassageIndexStore, ScoredPassage } from "@headwater/passage-index";
import type { QueryEmbedder } from "./query-embedder.ts";
import type { SearchPlan } from "./search-plan.ts";
import type { StepTimer } from "./step-timer.ts";

export interface NearestPassages {
  readonly hits: ScoredPassage[];
  /** The query's vector. */
  readonly query: Float32Array;
  /** True: the query's vector came from a cache. */
  readonly cached: boolean;
}

/** Searches the two lists of an index. */
export class Retrieval {
  readonly #store: PassageIndexStore;
  readonly #embedder: QueryEmbedder;

  constructor(store: PassageIndexStore, embedder: QueryEmbedder) {
    this.#store = store;
    this.#embedder = embedder;
  }

  active(): Promise<PassageIndex | undefined> {
    return this.#store.active();
  }

  async lexical(
    index: PassageIndex,
    plan: SearchPlan,
    timer: StepTimer,
    signal: AbortSignal,
  ): Promise<ScoredPassage[]> {
    return timer.time("lexical", () =>
      this.#search(index, (current) =>
        current.searchLexical(plan.query, plan.filter, plan.candidates, signal),
      ),
    );
  }

  async vector(
    index: PassageIndex,
    plan: SearchPlan,
    timer: StepTimer,
    signal: AbortSignal,
  ): Promise<NearestPassages> {
    const { vector, cached } = await timer.time("embed", () =>
      this.#embedder.embed(plan.query, index.fingerprint.model, signal),
    );
    const hits = await timer.time("vector", () =>
      this.#search(index, (current) => current.searchVector(vector, plan.filter, plan.candidates, signal)),
    );
    return { hits, query: vector, cached };
  }

  /** A generation may be dropped under a search that began on it; then the one that serves now is asked. */
  async #search(
    index: PassageIndex,
    search: (index: PassageIndex) => Promise<ScoredPassage[]>,
  ): Promise<ScoredPassage[]> {
    try {
      return await search(index);
    } catch (thrown) {
      const current = await this.#store.active();
      const same = current?.fingerprint.model === index.fingerprint.model;
      if (current && same && current.generation !== index.generation) return search(current);
      throw asRetrieverError(thrown);
    }
  }
}

/** An engine's own error says nothing to a caller; it goes into the log as the cause. */
function asRetrieverError(thrown: unknown): unknown {
  if (thrown instanceof HeadwaterError || (thrown instanceof Error && thrown.name === "AbortError"))
    return thrown;
  return new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_INDEX_UNAVAILABLE",
    message: "The passage index could not be searched.",
    action: "Try again; `headwater doctor` tells more.",
    cause: thrown,
  });
}
