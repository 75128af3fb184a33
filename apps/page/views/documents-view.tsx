import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { DocumentList } from "../components/document-list.tsx";
import { DropZone } from "../components/drop-zone.tsx";
import { Link } from "../components/link.tsx";
import { UploadSummary } from "../components/upload-summary.tsx";
import { count } from "../state/format.ts";
import { navigate, route } from "../state/navigation.ts";
import { documentsInStore, pipeline } from "../state/pipeline.ts";
import type { DocumentGroup } from "../state/route.ts";

/** Milliseconds after the last key until the list is asked for anew. */
const typingPause = 250;

export function DocumentsView() {
  return (
    <>
      <h1>Documents</h1>
      <DropZone />
      <UploadSummary />
      <div class="list-head">
        <GroupTabs />
        <PrefixField />
      </div>
      <DocumentList />
    </>
  );
}

function GroupTabs() {
  const now = pipeline.value;
  const counts: Readonly<Record<DocumentGroup, number | undefined>> = {
    all: documentsInStore(now),
    active: now && now.documents.queued + now.documents.parsing + now.documents.embedding,
    indexed: now?.documents.indexed,
    failed: now?.documents.failed,
  };
  const tabs: readonly (readonly [group: DocumentGroup, label: string])[] = [
    ["all", "All"],
    ["active", "On their way"],
    ["indexed", "Indexed"],
    ["failed", "Failed"],
  ];
  return (
    <nav class="groups" aria-label="Which documents">
      {tabs.map(([group, label]) => (
        <Link key={group} class="group" to={{ group }} current={route.value.group === group}>
          {label}
          <span class="group-count">{counts[group] === undefined ? "" : count(counts[group])}</span>
        </Link>
      ))}
    </nav>
  );
}

function PrefixField() {
  const typed = useSignal(route.value.prefix);
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(waiting.current), []);
  return (
    <label class="prefix">
      <span class="unseen">Only ids that start with</span>
      <input
        class="field"
        type="search"
        placeholder="Id starts with …"
        value={typed}
        onInput={(event) => {
          typed.value = event.currentTarget.value;
          clearTimeout(waiting.current);
          waiting.current = setTimeout(() => navigate({ prefix: typed.value }, "replace"), typingPause);
        }}
      />
    </label>
  );
}
