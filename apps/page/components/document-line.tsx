import type { Signal } from "@preact/signals";
import { useSignal } from "@preact/signals";
import type { DocumentRow } from "../state/document-row.ts";
import { isSettled, stateLabel, steps, stepsDone } from "../state/document-row.ts";
import { deleteDocument, retryDocument } from "../state/documents.ts";
import type { Fault } from "../state/fault.ts";
import { bytes, counted, mediaTypeName, titleOf } from "../state/format.ts";
import { sendAgain, withdraw } from "../state/uploads.ts";
import { FaultNote } from "./fault-note.tsx";
import { Icon } from "./icon.tsx";
import { Link } from "./link.tsx";

/** One document: what it is, how far it has come, and what can be done. `active`: Tab stops here in the list. */
export function DocumentLine({ row, active }: { row: Signal<DocumentRow>; active: boolean }) {
  const fault = useSignal<Fault | undefined>(undefined);
  const asking = useSignal(false);
  const document = row.value;
  const { id, state, failure } = document;
  const tabIndex = active ? 0 : -1;
  const failed = state === "failed" || state === "refused";
  const unsent = state === "waiting" || state === "refused";

  const retry = async () => {
    fault.value = undefined;
    if (state === "refused") {
      if (!sendAgain(id)) fault.value = fileGone;
    } else fault.value = await retryDocument(id);
  };
  const remove = async () => {
    asking.value = false;
    if (unsent) withdraw(id);
    else fault.value = await deleteDocument(id);
  };
  return (
    <li class={`line line-${state}`} data-id={id}>
      <div class="line-main">
        <span class="line-kind">{mediaTypeName(document.mediaType) || "File"}</span>
        <div class="line-name">
          {unsent || state === "sending" ? (
            <span class="line-title">{titleOf(document)}</span>
          ) : (
            <Link
              class="line-title"
              tabIndex={tabIndex}
              to={{ document: { id, version: 0, mark: undefined, page: 0, headings: [] } }}
            >
              {titleOf(document)}
            </Link>
          )}
          <span class="line-id">{id}</span>
        </div>
        <div class="line-state">
          <Steps row={document} />
          <span class="line-label">{stateLabel(document)}</span>
        </div>
        <span class="line-size">
          {state === "indexed" ? counted(document.passages, "passage") : bytes(document.bytes)}
        </span>
        <div class="line-actions">
          {failed && (
            <button
              type="button"
              class="button button-plain"
              tabIndex={tabIndex}
              aria-label={`Try ${titleOf(document)} again`}
              title="Try again"
              onClick={() => void retry()}
            >
              <Icon name="retry" />
            </button>
          )}
          {asking.value ? (
            <button
              type="button"
              class="button button-danger"
              tabIndex={tabIndex}
              ref={(button) => button?.focus()}
              onBlur={() => {
                asking.value = false;
              }}
              onClick={() => void remove()}
            >
              Delete?
            </button>
          ) : (
            <button
              type="button"
              class="button button-plain"
              tabIndex={tabIndex}
              aria-label={`Delete ${titleOf(document)}`}
              title="Delete"
              onClick={() => {
                asking.value = true;
              }}
            >
              <Icon name="trash" />
            </button>
          )}
        </div>
      </div>
      {failure && (
        <p class={failed ? "line-failure" : "line-failure line-waiting"}>
          {failure.message} <code>{failure.reason}</code>
        </p>
      )}
      <FaultNote fault={fault.value} />
    </li>
  );
}

const fileGone: Fault = {
  message: "The page no longer has this file.",
  action: "Add it again.",
  reason: "HW_FILE_GONE",
  transient: false,
  retryAfterMs: undefined,
};

/** The steps as a row of marks that fill; the state in words stands beside it. */
function Steps({ row: { state } }: { row: DocumentRow }) {
  const done = stepsDone(state);
  return (
    <span class="steps" aria-hidden="true">
      {steps.map((step, index) => (
        <span
          key={step}
          class={`step ${index < done ? "step-done" : index === done && !isSettled(state) ? "step-now" : ""}`}
        />
      ))}
    </span>
  );
}
