import { useSignal } from "@preact/signals";
import { submitIndexJob } from "../state/jobs.ts";
import { SaveForm } from "./save-form.tsx";
import { TextField } from "./text-field.tsx";

/** Has pages of the web fetched and indexed in the background. */
export function IndexJobForm() {
  const typed = useSignal("");
  return (
    <SaveForm
      action="Submit the job"
      disabled={typed.value.trim() === ""}
      save={() => submitIndexJob(typed.value)}
      onSaved={() => {
        typed.value = "";
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
    </SaveForm>
  );
}
