import { useSignal } from "@preact/signals";
import type { Fault } from "../state/fault.ts";
import { submitIndexJob } from "../state/jobs.ts";
import { FaultNote } from "./fault-note.tsx";
import { TextField } from "./text-field.tsx";

/** Has pages of the web fetched and indexed in the background. */
export function IndexJobForm() {
  const typed = useSignal("");
  const fault = useSignal<Fault | undefined>(undefined);
  const submit = async () => {
    fault.value = await submitIndexJob(typed.value);
    if (!fault.value) typed.value = "";
  };
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed.value.trim() !== "") void submit();
      }}
    >
      <TextField
        label="Take in documents from the web: addresses, one a line"
        placeholder="https://example.org/springs.html"
        rows={2}
        value={typed.value}
        onType={(value) => {
          typed.value = value;
        }}
      />
      <FaultNote fault={fault.value} />
      <div class="form-buttons">
        <button type="submit" class="button button-main" disabled={typed.value.trim() === ""}>
          Submit the job
        </button>
      </div>
    </form>
  );
}
