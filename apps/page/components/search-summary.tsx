import type { SearchSummary as Summary } from "@headwater/client";
import { count, milliseconds } from "../state/format.ts";
import { Icon } from "./icon.tsx";
import { stageNames } from "./stage-timeline.tsx";

/** Steps of a search in the order in which they run. */
const steps: readonly (readonly [key: string, label: string])[] = [
  ["embed", "query vector"],
  ["lexical", "words"],
  ["vector", "meaning"],
  ["fuse", "fusion"],
  ["rerank", "rerank"],
];

/** Where the time went, and what the search had to do without. */
export function SearchSummary({ summary }: { summary: Summary | undefined }) {
  const total = summary?.milliseconds["total"];
  return (
    <>
      <p class="summary">
        {summary && total !== undefined ? (
          <>
            <strong>{milliseconds(total)}</strong>
            {steps.map(([key, label]) => {
              const value = summary.milliseconds[key];
              return value === undefined ? null : (
                <span key={key}>
                  {label} {milliseconds(value)}
                  {key === "embed" && summary.queryCached && " (cached)"}
                </span>
              );
            })}
            <span>{count(summary.candidates)} candidates</span>
          </>
        ) : (
          "Searching …"
        )}
      </p>
      {summary?.degradations.map(({ stage, reason, message }) => (
        <div key={`${stage}${reason}`} class="note note-warning">
          <Icon name="alert" />
          <div>
            <p>
              <strong>{stageNames[stage]}:</strong> {message}
            </p>
            <p class="note-reason">{reason}</p>
          </div>
        </div>
      ))}
    </>
  );
}
