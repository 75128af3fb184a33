import type { PromptVariable } from "@headwater/client";
import { useSignal } from "@preact/signals";
import { variableFaults, variablesIn } from "../state/prompt-text.ts";
import { addVersion } from "../state/prompts.ts";
import { SaveForm } from "./save-form.tsx";
import { TextField } from "./text-field.tsx";

export interface PromptEditorProps {
  /** Empty: the prompt is to be made, and has to be named. */
  readonly name: string;
  /** What the new version starts from. */
  readonly text: string;
  /** Variables that Headwater fills in; empty: any. */
  readonly variables: readonly PromptVariable[];
  readonly onDone: (name: string) => void;
}

/** Writes a new version. */
export function PromptEditor({ name, text, variables, onDone }: PromptEditorProps) {
  const draft = useSignal({ name, text, note: "" });
  const change = (part: Partial<typeof draft.value>) => {
    draft.value = { ...draft.peek(), ...part };
  };
  const used = variablesIn(draft.value.text);
  const wrong = variableFaults(draft.value.text, variables);
  return (
    <SaveForm
      action="Save as a new version"
      disabled={wrong.length > 0}
      save={() => {
        const { name, text, note } = draft.peek();
        return addVersion(name, text, note);
      }}
      onSaved={() => onDone(draft.peek().name)}
      onCancel={() => onDone(name)}
    >
      {name === "" && (
        <TextField
          label="Name"
          value={draft.value.name}
          required
          maxLength={128}
          pattern="[a-z0-9._\-]+"
          placeholder="my-prompt"
          onType={(value) => change({ name: value })}
        />
      )}
      <TextField
        label="Text"
        value={draft.value.text}
        rows={10}
        required
        maxLength={65_536}
        hint={used.length > 0 ? `Variables: ${used.join(", ")}` : "Write {{name}} where a value goes."}
        onType={(value) => change({ text: value })}
      />
      {variables.length > 0 && (
        <ul class="variables">
          {variables.map((variable) => (
            <li key={variable.name}>
              <code>{`{{${variable.name}}}`}</code> {variable.description}
              {variable.required && <span class="badge">required</span>}
            </li>
          ))}
        </ul>
      )}
      {wrong.length > 0 && <p class="note note-warning">{wrong.join(" ")}</p>}
      <TextField
        label="Why it is made"
        value={draft.value.note}
        maxLength={1024}
        onType={(value) => change({ note: value })}
      />
    </SaveForm>
  );
}
