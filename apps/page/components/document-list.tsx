import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { isIn } from "../state/document-row.ts";
import {
  addedIds,
  listDocuments,
  listedIds,
  listing,
  listMoreDocuments,
  rowChanges,
  rowSignal,
} from "../state/documents.ts";
import { route } from "../state/navigation.ts";
import { DocumentLine } from "./document-line.tsx";
import { FaultNote } from "./fault-note.tsx";

/** Lines that are drawn at once; more are drawn as the reader scrolls to them. */
const drawnAtOnce = 200;

/** Documents of this visit first, then those that the server lists. Arrow keys go from line to line. */
export function DocumentList() {
  const { group, prefix } = route.value;
  const limit = useSignal(drawnAtOnce);
  const active = useSignal("");
  const list = useRef<HTMLUListElement>(null);
  const end = useRef<HTMLDivElement>(null);
  const last = useRef<readonly string[]>([]);
  const ids = useComputed(() => {
    const { group, prefix } = route.value;
    rowChanges.value;
    const now = [...addedIds.value, ...listedIds.value].filter((id) => {
      const row = rowSignal(id)?.peek();
      return row !== undefined && id.startsWith(prefix) && isIn(group, row.state);
    });
    // The same array while the same lines are shown: then a change of state draws its line only.
    const before = last.current;
    if (now.length !== before.length || now.some((id, index) => id !== before[index])) last.current = now;
    return last.current;
  });

  useEffect(() => {
    limit.value = drawnAtOnce;
    void listDocuments(group, prefix);
  }, [group, prefix, limit]);
  useEffect(() => {
    const { current } = end;
    if (!current) return;
    const watcher = new IntersectionObserver(
      ([entry]) => {
        if (!entry?.isIntersecting) return;
        if (limit.peek() < ids.peek().length) limit.value += drawnAtOnce;
        else void listMoreDocuments();
      },
      { rootMargin: "600px" },
    );
    watcher.observe(current);
    return () => watcher.disconnect();
  }, [ids, limit]);

  const shown = ids.value.slice(0, limit.value);
  const activeId = shown.includes(active.value) ? active.value : shown[0];
  const move = (event: KeyboardEvent) => {
    if (!(event.target instanceof Element)) return;
    const from = shown.indexOf(event.target.closest("li")?.dataset["id"] ?? "");
    const to = { ArrowDown: from + 1, ArrowUp: from - 1, Home: 0, End: shown.length - 1 }[event.key];
    const id = to === undefined ? undefined : shown[to];
    if (from < 0 || id === undefined) return;
    event.preventDefault();
    active.value = id;
    const line = list.current?.children[shown.indexOf(id)];
    line?.querySelector<HTMLElement>("a, button")?.focus();
  };
  return (
    <>
      <FaultNote fault={listing.value.fault} onRetry={() => void listDocuments(group, prefix)} />
      <ul
        ref={list}
        class="lines"
        aria-label="Documents"
        onKeyDown={move}
        onFocusIn={(event) => {
          const id = event.target instanceof Element ? event.target.closest("li")?.dataset["id"] : undefined;
          if (id !== undefined) active.value = id;
        }}
      >
        {shown.map((id) => {
          const row = rowSignal(id);
          return row ? <DocumentLine key={id} row={row} active={id === activeId} /> : null;
        })}
      </ul>
      {shown.length === 0 && !listing.value.loading && !listing.value.fault && (
        <p class="empty">{group === "all" && prefix === "" ? "There are no documents yet." : "None here."}</p>
      )}
      <div ref={end} class="list-end">
        {listing.value.loading && "Reading the list …"}
      </div>
    </>
  );
}
