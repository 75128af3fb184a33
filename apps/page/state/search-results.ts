import type { Hit, HitsEvent, SearchEvent, SearchSummary, Stage } from "@headwater/client";
import { stages } from "@headwater/client";
import type { Fault } from "./fault.ts";

/** A search as it stands: what each stage found, and the pages that were asked for since. */
export interface SearchResults {
  readonly phase: "running" | "done" | "stopped" | "failed";
  readonly byStage: Readonly<Partial<Record<Stage, HitsEvent>>>;
  /** The stage that came last: what is shown unless the reader looks at another. */
  readonly latest: Stage | undefined;
  /** Hits of the further pages, in their final order. */
  readonly further: readonly Hit[];
  /** Empty: there are no more. */
  readonly nextPageToken: string;
  readonly loadingMore: boolean;
  readonly summary: SearchSummary | undefined;
  readonly fault: Fault | undefined;
}

export const noResults: SearchResults = {
  phase: "running",
  byStage: {},
  latest: undefined,
  further: [],
  nextPageToken: "",
  loadingMore: false,
  summary: undefined,
  fault: undefined,
};

export function withSearchEvent(results: SearchResults, event: SearchEvent): SearchResults {
  if (event.type === "summary")
    return { ...results, phase: "done", summary: event, nextPageToken: event.nextPageToken };
  return {
    ...results,
    byStage: { ...results.byStage, [event.stage]: event },
    latest: isLater(event.stage, results.latest) ? event.stage : results.latest,
  };
}

/** The two retrievers run side by side: of them the first that came stays until the lists are fused. */
function isLater(stage: Stage, than: Stage | undefined): boolean {
  if (than === undefined) return true;
  return stages.indexOf(stage) >= stages.indexOf("fused") && stages.indexOf(stage) > stages.indexOf(than);
}

/** The hits of a stage; at the final one, those of further pages too. */
export function hitsAt(results: SearchResults, stage: Stage | undefined): readonly Hit[] {
  const hits = stage ? (results.byStage[stage]?.hits ?? []) : [];
  return stage === results.latest ? [...hits, ...results.further] : hits;
}

/**
 * Places that reranking moved a hit up (positive) or down, against the fused list; undefined where that is not known,
 * and for all other stages.
 */
export function movementOf(results: SearchResults, stage: Stage | undefined, hit: Hit): number | undefined {
  if (stage !== "reranked") return undefined;
  const before = results.byStage.fused?.hits.find(({ passageId }) => passageId === hit.passageId);
  return before && before.rank - hit.rank;
}

/** Values that a filter may be set to, as far as the hits of a search tell, by number of hits. */
export function attributesOf(results: SearchResults): (readonly [key: string, value: string])[] {
  const counts = new Map<string, { pair: readonly [string, string]; hits: number }>();
  for (const hit of hitsAt(results, results.latest)) {
    for (const pair of Object.entries(hit.document.attributes)) {
      const entry = counts.get(pair.join(":")) ?? { pair, hits: 0 };
      counts.set(pair.join(":"), { pair, hits: entry.hits + 1 });
    }
  }
  return [...counts.values()].sort((a, b) => b.hits - a.hits).map(({ pair }) => pair);
}
