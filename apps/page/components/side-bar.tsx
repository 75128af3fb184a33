import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { connection } from "../state/connection.ts";
import { count, counted } from "../state/format.ts";
import { route, routeOfView } from "../state/navigation.ts";
import { documentsInStore, pipeline } from "../state/pipeline.ts";
import type { View } from "../state/route.ts";
import { homeRoute } from "../state/route.ts";
import type { IconName } from "./icon.tsx";
import { Icon } from "./icon.tsx";
import { Link } from "./link.tsx";
import { ThemeSwitch } from "./theme-switch.tsx";

const tabs: readonly { view: View; label: string; icon: IconName }[] = [
  { view: "search", label: "Search", icon: "search" },
  { view: "ask", label: "Ask", icon: "ask" },
  { view: "chat", label: "Chat", icon: "chat" },
  { view: "documents", label: "Documents", icon: "documents" },
];

/** What stands behind the answers; on a phone behind one tab. */
const furtherTabs: typeof tabs = [
  { view: "agents", label: "Agents", icon: "agents" },
  { view: "prompts", label: "Prompts", icon: "prompts" },
  { view: "memory", label: "Memory", icon: "memory" },
  { view: "jobs", label: "Jobs", icon: "jobs" },
  { view: "pipeline", label: "Pipeline", icon: "pipeline" },
];

/** Brand, tabs and state: at the side of a wide screen, at top and bottom of a phone. */
export function SideBar() {
  return (
    <header class="side">
      <Link to={homeRoute} class="brand" label="Headwater, start page">
        <BrandMark />
        <span>Headwater</span>
      </Link>
      <nav class="tabs" aria-label="Views">
        {tabs.map((tab) => (
          <Tab key={tab.view} {...tab} />
        ))}
        <FurtherTabs />
      </nav>
      <div class="side-foot">
        <StoreState />
        <ThemeSwitch />
      </div>
    </header>
  );
}

function Tab({ view, label, icon, onFollow }: (typeof tabs)[number] & { onFollow?: () => void }) {
  return (
    <Link
      to={routeOfView(view)}
      class="tab"
      current={route.value.view === view}
      {...(onFollow ? { onFollow } : {})}
    >
      <Icon name={icon} />
      <span>{label}</span>
      {view === "pipeline" && <FailedCount />}
    </Link>
  );
}

/** Always there on a wide screen; the styles hide the button there. */
function FurtherTabs() {
  const open = useSignal(false);
  const place = useRef<HTMLDivElement>(null);
  const close = () => {
    open.value = false;
  };
  useEffect(() => {
    const look = (event: Event) => {
      if (event.target instanceof Node && !place.current?.contains(event.target)) open.value = false;
    };
    addEventListener("pointerdown", look);
    return () => removeEventListener("pointerdown", look);
  }, [open]);
  const within = furtherTabs.some(({ view }) => view === route.value.view);
  return (
    // The keys act on the links within; this only listens for them on their way up.
    // biome-ignore lint/a11y/noStaticElementInteractions: see above
    <div
      ref={place}
      class="tabs-further"
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open.value) return;
        event.stopPropagation();
        close();
        place.current?.querySelector("button")?.focus();
      }}
    >
      <button
        type="button"
        class={within ? "tab tab-more tab-within" : "tab tab-more"}
        aria-expanded={open}
        aria-controls="further-tabs"
        onClick={() => {
          open.value = !open.value;
        }}
      >
        <Icon name="more" />
        <span>More</span>
      </button>
      <div id="further-tabs" class={open.value ? "tabs-group tabs-group-open" : "tabs-group"}>
        {furtherTabs.map((tab) => (
          <Tab key={tab.view} {...tab} onFollow={close} />
        ))}
      </div>
    </div>
  );
}

function BrandMark() {
  return (
    <svg class="brand-mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path d="M4 7c7 0 7 9 12 9s6 0 12 0" />
      <path d="M4 25c7 0 7-9 12-9" />
      <path class="brand-mark-thin" d="M4 16h5" />
    </svg>
  );
}

function FailedCount() {
  const failed = pipeline.value?.documents.failed ?? 0;
  if (failed === 0) return null;
  return (
    <span class="tab-count" title={`${counted(failed, "document")} failed`}>
      {count(failed)}
      <span class="unseen"> failed</span>
    </span>
  );
}

function StoreState() {
  const { state } = connection.value;
  const documents = documentsInStore(pipeline.value);
  const text = state === "live" ? "Connected" : state === "lost" ? "Not connected" : "Connecting";
  return (
    <p class="store-state">
      <span class={`lamp lamp-${state}`} aria-hidden="true" />
      <span>
        {text}
        {documents !== undefined && <span class="store-count">{counted(documents, "document")}</span>}
      </span>
    </p>
  );
}
