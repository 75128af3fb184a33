import type { CitationEvent } from "@headwater/client";
import { useId } from "preact/hooks";
import type { CitedAnswer } from "../state/answer.ts";
import { mediaTypeName, placeOf, titleOf } from "../state/format.ts";
import { openingOf } from "./hit-card.tsx";
import { Link } from "./link.tsx";

/** The sources of an answer, in the order of their numbers, each with what it says. */
export function SourceList({
  answer,
  numbers,
}: {
  answer: CitedAnswer;
  numbers: ReadonlyMap<number, number>;
}) {
  const id = useId();
  if (numbers.size === 0) return null;
  return (
    <section class="sources" aria-labelledby={id}>
      <h3 id={id}>Sources</h3>
      <ol>
        {[...numbers].map(([source, number]) => {
          const citations = answer.citations.filter((citation) => citation.source === source);
          const hit = answer.hits[source - 1];
          const document = citations[0]?.document ?? hit?.document;
          if (!document) return null;
          const headings = hit?.headingPath ?? [];
          const place = placeOf(citations[0]?.page ?? hit?.page ?? 0, headings, titleOf(document));
          return (
            <li key={source} class="source">
              <span class="source-number" aria-hidden="true">
                {number}
              </span>
              <div>
                <p class="source-title">
                  {titleOf(document)} <span class="badge">{mediaTypeName(document.mediaType)}</span>
                  {place && <span class="hit-place">{place}</span>}
                </p>
                {citations.length === 0 && hit && (
                  <Link to={{ document: openingOf(hit) }}>Read the passage</Link>
                )}
                {distinctQuotes(citations).map((citation) => (
                  <Link
                    key={citation.evidence.start}
                    class="source-quote"
                    to={{
                      document: {
                        id: citation.document.id,
                        version: citation.document.version,
                        mark: citation.evidence,
                        page: citation.page,
                        headings,
                      },
                    }}
                  >
                    {citation.quote}
                  </Link>
                ))}
              </div>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function distinctQuotes(citations: readonly CitationEvent[]): CitationEvent[] {
  return [...new Map(citations.map((citation) => [citation.evidence.start, citation])).values()];
}

/** What was found and not cited. */
export function OtherPassages({
  answer,
  numbers,
  open,
}: {
  answer: CitedAnswer;
  numbers: ReadonlyMap<number, number>;
  open: boolean;
}) {
  const others = answer.hits.filter((_, index) => !numbers.has(index + 1));
  if (others.length === 0) return null;
  return (
    <details class="others" open={open}>
      <summary>{open ? "The closest passages" : `${others.length} more passages were read`}</summary>
      <ul>
        {others.map((hit) => (
          <li key={hit.passageId}>
            <Link to={{ document: openingOf(hit) }}>{titleOf(hit.document)}</Link>
            <span class="hit-place">{placeOf(hit.page, hit.headingPath, titleOf(hit.document))}</span>
            <p>{hit.text.length > 180 ? `${hit.text.slice(0, 180).replace(/\s+\S*$/, "")} …` : hit.text}</p>
          </li>
        ))}
      </ul>
    </details>
  );
}
