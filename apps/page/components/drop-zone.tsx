import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { droppedFiles, pickedFiles } from "../state/dropped-files.ts";
import type { Fault } from "../state/fault.ts";
import { faultOf } from "../state/fault.ts";
import { sendFiles } from "../state/sent-files.ts";
import { FaultNote } from "./fault-note.tsx";
import { Icon } from "./icon.tsx";
import { PasteBox } from "./paste-box.tsx";

/** Where documents come in: by dropping, choosing or pasting. */
export function DropZone() {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const pasting = useSignal(false);
  const pick = (input: HTMLInputElement) => {
    sendFiles(pickedFiles(input.files ?? new DataTransfer().files));
    // So that choosing the same file again is a change.
    input.value = "";
  };
  return (
    <section class="drop" aria-label="Add documents">
      <div class="drop-line">
        <Icon name="upload" />
        <p>
          <strong>Add files or folders</strong>
          <span>
            Drop them anywhere on this page. PDF, Word, Markdown, HTML, text, CSV, JSON Lines, code.
          </span>
        </p>
        <div class="drop-buttons">
          <button type="button" class="button button-main" onClick={() => files.current?.click()}>
            Choose files
          </button>
          <button type="button" class="button" onClick={() => folder.current?.click()}>
            <Icon name="folder" />
            <span>Folder</span>
          </button>
          <button
            type="button"
            class="button"
            aria-expanded={pasting}
            onClick={() => {
              pasting.value = !pasting.value;
            }}
          >
            <Icon name="paste" />
            <span>Paste text</span>
          </button>
        </div>
      </div>
      <input
        ref={files}
        class="unseen"
        type="file"
        multiple
        tabIndex={-1}
        aria-label="Files to add"
        onChange={(event) => pick(event.currentTarget)}
      />
      <input
        ref={(input) => {
          folder.current = input;
          // Not among the attributes that the types know.
          input?.setAttribute("webkitdirectory", "");
        }}
        class="unseen"
        type="file"
        tabIndex={-1}
        aria-label="Folder to add"
        onChange={(event) => pick(event.currentTarget)}
      />
      {pasting.value && (
        <PasteBox
          onDone={() => {
            pasting.value = false;
          }}
        />
      )}
      <p class="drop-hint">
        From a terminal: <code>npx headwater ingest &lt;folder&gt;</code>
      </p>
    </section>
  );
}

/** Shown while files are dragged over the page; takes them wherever they are dropped. */
export function DropCurtain() {
  const over = useSignal(false);
  const fault = useSignal<Fault | undefined>(undefined);
  useEffect(() => {
    const leaving = new AbortController();
    const on = (name: "dragenter" | "dragover" | "dragleave" | "drop", react: (event: DragEvent) => void) =>
      addEventListener(
        name,
        (event) => {
          if (event.dataTransfer?.types.includes("Files")) react(event);
        },
        { signal: leaving.signal },
      );
    on("dragenter", () => {
      over.value = true;
    });
    on("dragover", (event) => event.preventDefault());
    on("dragleave", (event) => {
      // Null when the pointer leaves the window, and not when it goes from one element to the next.
      if (event.relatedTarget === null) over.value = false;
    });
    on("drop", (event) => {
      event.preventDefault();
      over.value = false;
      fault.value = undefined;
      if (!event.dataTransfer) return;
      droppedFiles(event.dataTransfer).then(sendFiles, (thrown: unknown) => {
        fault.value = faultOf(thrown);
      });
    });
    return () => leaving.abort();
  }, [over, fault]);
  return (
    <>
      {over.value && (
        <div class="curtain">
          <p>
            <Icon name="upload" />
            Let go to add them
          </p>
        </div>
      )}
      <FaultNote fault={fault.value} />
    </>
  );
}
