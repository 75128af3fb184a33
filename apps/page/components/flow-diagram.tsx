import type { DocumentState, Pipeline } from "@headwater/client";
import { count } from "../state/format.ts";
import type { DocumentGroup } from "../state/route.ts";
import { Link } from "./link.tsx";

const stations: readonly { state: DocumentState; label: string; group: DocumentGroup }[] = [
  { state: "queued", label: "Queued", group: "active" },
  { state: "parsing", label: "Parsing", group: "active" },
  { state: "embedding", label: "Embedding", group: "active" },
  { state: "indexed", label: "Indexed", group: "indexed" },
  { state: "failed", label: "Failed", group: "failed" },
];

/** Where the documents of this tenant stand; each station leads to their list. */
export function FlowDiagram({ pipeline }: { pipeline: Pipeline }) {
  return (
    <ol class="river" aria-label="Documents by state">
      {stations.map(({ state, label, group }) => {
        const documents = pipeline.documents[state];
        return (
          <li key={state} class={`station station-${state} ${documents > 0 ? "station-some" : ""}`}>
            <Link to={{ view: "documents", group, prefix: "" }}>
              <span class="figure-value">{count(documents)}</span>
              <span class="figure-label">{label}</span>
            </Link>
          </li>
        );
      })}
    </ol>
  );
}
