import type { SearchOptions as CallOptions, Stage } from "@headwater/client";
import { signal } from "@preact/signals";
import { announce } from "./announcer.ts";
import { faultOf } from "./fault.ts";
import { filterOf } from "./filter.ts";
import { counted, milliseconds } from "./format.ts";
import { perFrame } from "./frame.ts";
import { Remembered } from "./remembered.ts";
import type { SearchOptions } from "./route.ts";
import type { SearchResults } from "./search-results.ts";
import { hitsAt, noResults, withSearchEvent } from "./search-results.ts";
import { server } from "./server.ts";

/** The search that is shown; undefined before the first. */
export const searchResults = signal<SearchResults | undefined>(undefined);

/** A stage that the reader looks at instead of the latest. */
export const stageShown = signal<Stage | undefined>(undefined);

const pageSize = 10;
const remembered = new Remembered<SearchResults>(20);
let current: { key: string; controller: AbortController } | undefined;

/** Shows the search for a query: one that is still known at once, any other from the server. */
export function showSearch(query: string, options: SearchOptions, again = false): void {
  const key = JSON.stringify([query, options]);
  if (current?.key === key && !again) return;
  leaveSearch();
  stageShown.value = undefined;
  if (query.trim() === "") {
    searchResults.value = undefined;
    return;
  }
  const known = again ? undefined : remembered.get(key);
  const controller = new AbortController();
  current = { key, controller };
  if (known) searchResults.value = known;
  else void run(key, query, options, controller.signal);
}

/** Ends what is under way; the server then stops working on it. */
export function leaveSearch(): void {
  current?.controller.abort();
  current = undefined;
  const results = searchResults.peek();
  if (results?.phase === "running") searchResults.value = { ...results, phase: "stopped" };
}

async function run(key: string, query: string, options: SearchOptions, signal: AbortSignal): Promise<void> {
  let results = noResults;
  const show = perFrame(() => {
    if (!signal.aborted) searchResults.value = results;
  });
  show();
  try {
    for await (const event of server.search(query, { ...callOptions(options), signal })) {
      results = withSearchEvent(results, event);
      show();
    }
    remembered.set(key, results);
    const found = hitsAt(results, results.latest).length;
    announce(
      found === 0
        ? "No hits."
        : `${counted(found, "hit")}, in ${milliseconds(results.summary?.milliseconds["total"] ?? 0)}.`,
    );
  } catch (thrown) {
    const fault = faultOf(thrown, signal);
    if (!fault) return;
    results = { ...results, phase: "failed", fault };
    show();
  }
}

/** Appends the next page to the hits. */
export async function showMoreHits(query: string, options: SearchOptions): Promise<void> {
  const signal = current?.controller.signal;
  const before = searchResults.peek();
  if (!signal || !before || before.loadingMore || before.nextPageToken === "") return;
  const key = current?.key ?? "";
  searchResults.value = { ...before, loadingMore: true, fault: undefined };
  try {
    let page = noResults;
    const call: CallOptions = {
      ...callOptions(options),
      pageToken: before.nextPageToken,
      // Only the order that is final is shown of a further page.
      stages: before.latest ? [before.latest] : [],
      signal,
    };
    for await (const event of server.search(query, call)) page = withSearchEvent(page, event);
    const results: SearchResults = {
      ...before,
      further: [...before.further, ...hitsAt(page, page.latest)],
      nextPageToken: page.nextPageToken,
    };
    searchResults.value = results;
    remembered.set(key, results);
  } catch (thrown) {
    const fault = faultOf(thrown, signal);
    if (fault) searchResults.value = { ...before, fault };
  }
}

function callOptions(options: SearchOptions): CallOptions {
  const filter = filterOf(options);
  const { fusion, lexicalWeight } = options;
  return {
    pageSize,
    explain: true,
    highlight: true,
    groupByDocument: options.groupByDocument,
    ...(filter ? { filter } : {}),
    ...(fusion || lexicalWeight !== undefined
      ? {
          fusion: {
            ...(fusion ? { method: fusion } : {}),
            ...(lexicalWeight === undefined ? {} : { lexicalWeight }),
          },
        }
      : {}),
    ...(options.rerank ? {} : { rerank: { disabled: true } }),
  };
}
