import { useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ConnectionBanner } from "./components/connection-banner.tsx";
import { closePanel, PanelPlace } from "./components/document-panel.tsx";
import { DropCurtain } from "./components/drop-zone.tsx";
import { LiveRegion } from "./components/live-region.tsx";
import { narrowScreen } from "./components/narrow-screen.ts";
import { SideBar } from "./components/side-bar.tsx";
import { navigate, route } from "./state/navigation.ts";
import type { View } from "./state/route.ts";
import { AgentsView } from "./views/agents-view.tsx";
import { AskView } from "./views/ask-view.tsx";
import { ChatView } from "./views/chat-view.tsx";
import { DocumentsView } from "./views/documents-view.tsx";
import { JobsView } from "./views/jobs-view.tsx";
import { MemoryView } from "./views/memory-view.tsx";
import { PipelineView } from "./views/pipeline-view.tsx";
import { PromptsView } from "./views/prompts-view.tsx";
import { SearchView } from "./views/search-view.tsx";

const views = {
  search: SearchView,
  ask: AskView,
  chat: ChatView,
  documents: DocumentsView,
  agents: AgentsView,
  prompts: PromptsView,
  memory: MemoryView,
  jobs: JobsView,
  pipeline: PipelineView,
};

const titles: Readonly<Record<View, string>> = {
  search: "Search",
  ask: "Ask",
  chat: "Chat",
  documents: "Documents",
  agents: "Agents",
  prompts: "Prompts",
  memory: "Memory",
  jobs: "Jobs",
  pipeline: "Pipeline",
};

export function App() {
  const { view, document: open } = route.value;
  const View = views[view];
  const main = useRef<HTMLElement>(null);
  const last = useRef(view);
  useSignalEffect(() => {
    const { view, query } = route.value;
    document.title = `${query && (view === "search" || view === "ask") ? `${query} – ` : ""}${titles[view]} – Headwater`;
  });
  useEffect(() => {
    // A new view is read from its start, by eye and by screen reader.
    if (last.current !== view) {
      if (questionIsWanted) focusQuestion();
      else main.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    last.current = view;
  }, [view]);
  useShortcuts();
  const covered = open !== undefined && narrowScreen.value;
  return (
    <>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <div class={open ? "frame frame-open" : "frame"}>
        <div class="frame-side" inert={covered}>
          <SideBar />
        </div>
        <main ref={main} id="content" class={`view view-${view}`} tabIndex={-1} inert={covered}>
          <View />
        </main>
        <PanelPlace />
      </div>
      <ConnectionBanner />
      <DropCurtain />
      <LiveRegion />
    </>
  );
}

/** `/` goes to the question, Escape closes the document. */
function useShortcuts() {
  useEffect(() => {
    const react = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Escape" && route.peek().document) closePanel();
      if (event.key === "/" && !isTyping(event.target)) {
        event.preventDefault();
        goToQuestion();
      }
    };
    addEventListener("keydown", react);
    return () => removeEventListener("keydown", react);
  }, []);
}

function goToQuestion(): void {
  const { view, document: open } = route.peek();
  if (view === "search" || view === "ask" || view === "chat") {
    if (open && narrowScreen.peek()) closePanel();
    requestAnimationFrame(focusQuestion);
  } else {
    // The box is drawn with the view that is to come.
    questionIsWanted = true;
    navigate({ view: "search", query: "", document: undefined });
  }
}

let questionIsWanted = false;

function focusQuestion(): void {
  questionIsWanted = false;
  const box = document.getElementById("question") ?? document.getElementById("message");
  if (!(box instanceof HTMLInputElement || box instanceof HTMLTextAreaElement)) return;
  box.focus();
  box.select();
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
