import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { bytes, counted, mediaTypeName, placeOf, titleOf } from "../state/format.ts";
import { navigate, route } from "../state/navigation.ts";
import { closeDocument, documentShown, extendText, showDocument } from "../state/open-document.ts";
import type { OpenDocument } from "../state/route.ts";
import { unwrapped } from "../state/shown-text.ts";
import { DownloadButton } from "./download-button.tsx";
import { FaultNote } from "./fault-note.tsx";
import { Icon } from "./icon.tsx";
import { MarkedText } from "./marked-text.tsx";
import { narrowScreen } from "./narrow-screen.ts";

/** Texts whose lines and columns carry meaning are set in a fixed pitch. */
const fixedPitch = /csv|tab-separated|json|xml|x-|javascript|typescript|source/;

/** Over the view it is a dialog, beside it one more landmark. */
function roleOf(label: string) {
  return narrowScreen.value
    ? ({ role: "dialog", "aria-modal": true, "aria-label": label } as const)
    : ({ role: "complementary", "aria-label": label } as const);
}

/** Closes the panel; focus goes back to what opened it. */
export function closePanel(): void {
  navigate({ document: undefined });
}

/** A document beside the view (over it on a phone), scrolled to what was cited, which is marked. */
export function DocumentPanel({ open }: { open: OpenDocument }) {
  const panel = useRef<HTMLDivElement>(null);
  const opener = useRef<Element | null>(null);
  const shown = documentShown.value;
  const key = JSON.stringify([open.id, open.version, open.mark]);

  // In the same turn as the panel comes and goes: between two places the focus would be nowhere.
  useLayoutEffect(() => {
    opener.current = document.activeElement;
    panel.current?.focus({ preventScroll: true });
    return () => {
      closeDocument();
      if (opener.current instanceof HTMLElement && opener.current.isConnected)
        opener.current.focus({ preventScroll: true });
    };
  }, []);
  useEffect(() => {
    void showDocument(open);
  }, [key]);
  useLayoutEffect(() => {
    if (!shown || shown.loading || shown.text === "") return;
    if (panel.current) showMark(panel.current);
  }, [shown?.loading, key]);

  const metadata = shown?.document;
  const title = titleOf(metadata ?? { id: open.id, title: "" });
  const place = placeOf(open.page, open.headings, title);
  return (
    <div ref={panel} class="panel" tabIndex={-1} {...roleOf(`Document: ${title}`)}>
      <div class="panel-head">
        <div>
          <h2>{title}</h2>
          <p class="hit-place">{place || open.id}</p>
        </div>
        <button
          type="button"
          class="button button-plain"
          aria-label="Close the document"
          onClick={closePanel}
        >
          <Icon name="close" />
        </button>
      </div>
      {metadata && (
        <p class="panel-facts">
          <span class="badge">{mediaTypeName(metadata.mediaType)}</span>
          <span>{bytes(metadata.sizeBytes)}</span>
          <span>{counted(metadata.passages, "passage")}</span>
          {Object.entries(metadata.attributes).map(([name, value]) => (
            <span key={name}>
              {name}: {value}
            </span>
          ))}
          <DownloadButton document={metadata} />
        </p>
      )}
      <PanelText open={open} />
    </div>
  );
}

/** Brings what is marked to the middle. `scrollIntoView` would scroll the view beside the panel too. */
function showMark(panel: HTMLElement): void {
  const mark = panel.querySelector("mark");
  if (!mark) return;
  const below = mark.getBoundingClientRect().top - panel.getBoundingClientRect().top;
  panel.scrollTop += below - panel.clientHeight / 2;
}

function PanelText({ open }: { open: OpenDocument }) {
  const shown = documentShown.value;
  if (!shown || (shown.loading && shown.text === ""))
    return (
      <p class="panel-wait" aria-busy="true">
        Opening …
      </p>
    );
  const { text, range, length, document, replaced, fault } = shown;
  const fixed = fixedPitch.test(document?.mediaType ?? "");
  return (
    <div class="panel-body">
      <FaultNote fault={fault} onRetry={() => void showDocument(open)} />
      {document?.failure && (
        <div class="note note-fault">
          <Icon name="alert" />
          <div>
            <p>{document.failure.message}</p>
            <p class="note-reason">{document.failure.reason}</p>
          </div>
        </div>
      )}
      {replaced && (
        <p class="note note-warning">
          This document has changed since. What you see is its newest version, and the mark may be off.
        </p>
      )}
      {range.start > 0 && (
        <button
          type="button"
          class="button"
          disabled={shown.loading}
          onClick={() => void extendText("before")}
        >
          Text before this
        </button>
      )}
      <div class={fixed ? "text text-fixed" : "text"}>
        <MarkedText
          text={document?.mediaType === "text/plain" ? unwrapped(text) : text}
          ranges={open.mark ? [open.mark] : []}
          offset={range.start}
        />
      </div>
      {range.end < length && (
        <button
          type="button"
          class="button"
          disabled={shown.loading}
          onClick={() => void extendText("after")}
        >
          More of the text
        </button>
      )}
    </div>
  );
}

/** The route's document, once the page is drawn. */
export function PanelPlace() {
  const open = useSignal(route.peek().document);
  useSignalEffect(() => {
    open.value = route.value.document;
  });
  return open.value ? <DocumentPanel open={open.value} /> : null;
}
