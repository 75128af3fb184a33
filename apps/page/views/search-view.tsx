import { useEffect, useRef } from "preact/hooks";
import { FaultNote } from "../components/fault-note.tsx";
import { FilterBar } from "../components/filter-bar.tsx";
import { HitCard } from "../components/hit-card.tsx";
import { Home } from "../components/home.tsx";
import { Link } from "../components/link.tsx";
import { QuestionBox } from "../components/question-box.tsx";
import { SearchSummary } from "../components/search-summary.tsx";
import { StageTimeline } from "../components/stage-timeline.tsx";
import { useFlip } from "../components/use-flip.ts";
import { Welcome } from "../components/welcome.tsx";
import { navigate, route } from "../state/navigation.ts";
import { documentsInStore, pipeline } from "../state/pipeline.ts";
import type { Route } from "../state/route.ts";
import { leaveSearch, searchResults, showMoreHits, showSearch, stageShown } from "../state/search.ts";
import type { SearchResults } from "../state/search-results.ts";
import { attributesOf, hitsAt, movementOf } from "../state/search-results.ts";

export function SearchView() {
  const { query, options } = route.value;
  const results = searchResults.value;
  useEffect(() => showSearch(query, options), [query, options]);
  useEffect(() => leaveSearch, []);
  const empty = documentsInStore(pipeline.value) === 0;
  return (
    <>
      <h1>Search</h1>
      <QuestionBox
        query={query}
        label="Search your documents"
        placeholder="Words, or what you mean"
        action="Search"
        onSubmit={(query) => {
          if (query === route.peek().query) showSearch(query, options, true);
          else navigate({ query, document: undefined });
        }}
      />
      {query !== "" && (
        <FilterBar options={options} suggestions={results ? attributesOf(results) : []} withSettings />
      )}
      {query === "" && (empty ? <Welcome /> : <Home view="search" />)}
      {query !== "" && results && <Results results={results} route={route.value} />}
    </>
  );
}

function Results({ results, route: { query, options } }: { results: SearchResults; route: Route }) {
  const list = useRef<HTMLOListElement>(null);
  const stage = stageShown.value ?? results.latest;
  const hits = hitsAt(results, stage);
  const best = Math.max(0, ...hits.map(({ score }) => score));
  useFlip(list, `${stage} ${hits.map(({ passageId }) => passageId).join(" ")}`);
  const isEmpty = results.phase === "done" && hits.length === 0;
  return (
    <section aria-label="Hits" class="results">
      <StageTimeline
        results={results}
        shown={stage}
        onShow={(chosen) => {
          stageShown.value = chosen === results.latest ? undefined : chosen;
        }}
      />
      {results.phase !== "failed" && <SearchSummary summary={results.summary} />}
      <FaultNote fault={results.fault} onRetry={() => showSearch(query, options, true)} />
      {results.phase === "stopped" && <p class="empty">Stopped.</p>}
      {isEmpty && <NoHits filtered={options.mediaTypes.length + options.attributes.length > 0} />}
      <ol ref={list} class="hits" aria-busy={results.phase === "running"} onKeyDown={moveAmongHits}>
        {hits.map((hit) => (
          <li key={hit.passageId} data-key={hit.passageId}>
            {stage && (
              <HitCard hit={hit} stage={stage} best={best} movement={movementOf(results, stage, hit)} />
            )}
          </li>
        ))}
      </ol>
      {results.phase === "running" && hits.length === 0 && <HitsToCome />}
      <div class="results-foot">
        {results.nextPageToken !== "" && stage === results.latest && (
          <button
            type="button"
            class="button"
            disabled={results.loadingMore}
            onClick={() => void showMoreHits(query, options)}
          >
            {results.loadingMore ? "Fetching …" : "More hits"}
          </button>
        )}
        {results.phase === "done" && hits.length > 0 && (
          <Link class="button button-plain" to={{ view: "ask", document: undefined }}>
            Ask this as a question
          </Link>
        )}
      </div>
    </section>
  );
}

function NoHits({ filtered }: { filtered: boolean }) {
  return (
    <p class="empty">
      Nothing was found.{" "}
      {filtered ? "The filters may leave nothing over." : "Other words may help, or more documents."}
    </p>
  );
}

/** Holds the place of the hits, so that nothing jumps when they come. */
function HitsToCome() {
  return (
    <div class="to-come" aria-hidden="true">
      {[1, 2, 3].map((line) => (
        <div key={line} class="to-come-hit" />
      ))}
    </div>
  );
}

/** Arrow keys go from one hit's title to the next. */
function moveAmongHits(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (by === 0) return;
  const titles = [...event.currentTarget.querySelectorAll<HTMLElement>(".hit-title a")];
  if (!(event.target instanceof HTMLElement)) return;
  const from = titles.indexOf(event.target);
  const next = titles[from + by];
  if (from < 0 || !next) return;
  event.preventDefault();
  next.focus();
}
