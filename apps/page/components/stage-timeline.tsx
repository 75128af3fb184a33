import type { Stage } from "@headwater/client";
import { stages } from "@headwater/client";
import { milliseconds } from "../state/format.ts";
import type { SearchResults } from "../state/search-results.ts";

export const stageNames: Readonly<Record<Stage, string>> = {
  lexical: "Words",
  vector: "Meaning",
  fused: "Fused",
  reranked: "Reranked",
};

const stageHints: Readonly<Record<Stage, string>> = {
  lexical: "BM25: passages with the words of the query",
  vector: "Nearest vectors: passages that mean the same",
  fused: "Both lists, weighed and added",
  reranked: "The best hits, read again beside the query",
};

export interface StageTimelineProps {
  readonly results: SearchResults;
  readonly shown: Stage | undefined;
  readonly onShow: (stage: Stage) => void;
}

/** Two streams that join: when each stage came, and a way to look at the hits as it ordered them. */
export function StageTimeline({ results, shown, onShow }: StageTimelineProps) {
  const skipped = (stage: Stage) => results.phase !== "running" && !results.byStage[stage];
  const show = (event: KeyboardEvent, by: number) => {
    const there = stages.filter((stage) => results.byStage[stage]);
    const next = there[(there.indexOf(shown ?? "lexical") + by + there.length) % there.length];
    if (!next) return;
    event.preventDefault();
    onShow(next);
    document.getElementById(`stage-${next}`)?.focus();
  };
  return (
    <div class="stages">
      <div
        class="confluence"
        role="radiogroup"
        aria-label="Show hits as ordered by"
        onKeyDown={(event) => {
          if (event.key === "ArrowRight" || event.key === "ArrowDown") show(event, 1);
          if (event.key === "ArrowLeft" || event.key === "ArrowUp") show(event, -1);
        }}
      >
        <Confluence results={results} />
        {stages.map((stage) => {
          const hits = results.byStage[stage];
          return (
            // biome-ignore lint/a11y/useSemanticElements: as above
            <button
              key={stage}
              id={`stage-${stage}`}
              type="button"
              role="radio"
              aria-checked={shown === stage}
              aria-disabled={!hits}
              tabIndex={shown === stage || (shown === undefined && stage === "lexical") ? 0 : -1}
              class={`stage stage-${stage} ${hits ? "stage-there" : skipped(stage) ? "stage-skipped" : "stage-due"}`}
              title={stageHints[stage]}
              onClick={() => {
                if (hits) onShow(stage);
              }}
            >
              <span class="stage-name">{stageNames[stage]}</span>
              <span class="stage-time">
                {hits ? milliseconds(hits.elapsedMs) : skipped(stage) ? "left out" : "…"}
              </span>
            </button>
          );
        })}
      </div>
    </div>
  );
}

/** The lines between the stages; each fills once the stage at its end is there. */
function Confluence({ results: { byStage } }: { results: SearchResults }) {
  const line = (stage: Stage) => `flow flow-${stage} ${byStage[stage] ? "flow-there" : ""}`;
  return (
    <>
      <svg class="flows flows-join" viewBox="0 0 100 88" preserveAspectRatio="none" aria-hidden="true">
        <path class={byStage.fused ? line("lexical") : "flow"} d="M0 20C60 20 40 44 100 44" pathLength={1} />
        <path class={byStage.fused ? line("vector") : "flow"} d="M0 68C60 68 40 44 100 44" pathLength={1} />
      </svg>
      <svg class="flows flows-on" viewBox="0 0 100 88" preserveAspectRatio="none" aria-hidden="true">
        <path class={line("reranked")} d="M0 44C35 38 65 50 100 44" pathLength={1} />
      </svg>
    </>
  );
}
