import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { pastedFile } from "../state/dropped-files.ts";
import { sendFiles } from "../state/sent-files.ts";

/** Text that is typed or pasted, to become a document. */
export function PasteBox({ onDone }: { onDone: () => void }) {
  const title = useSignal("");
  const text = useSignal("");
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => area.current?.focus(), []);
  return (
    <form
      class="paste"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.value.trim() === "") return;
        sendFiles([pastedFile(text.value, title.value, new Date())]);
        onDone();
      }}
    >
      <label>
        <span>Title (its first line where none is given)</span>
        <input
          class="field"
          value={title}
          maxLength={300}
          onInput={(event) => {
            title.value = event.currentTarget.value;
          }}
        />
      </label>
      <label>
        <span>Text</span>
        <textarea
          ref={area}
          class="field"
          rows={6}
          value={text}
          onInput={(event) => {
            text.value = event.currentTarget.value;
          }}
        />
      </label>
      <div class="drop-buttons">
        <button type="submit" class="button button-main" disabled={text.value.trim() === ""}>
          Add it
        </button>
        <button type="button" class="button" onClick={onDone}>
          Cancel
        </button>
      </div>
    </form>
  );
}
