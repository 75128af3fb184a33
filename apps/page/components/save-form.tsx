import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Fault } from "../state/fault.ts";
import { FaultNote } from "./fault-note.tsx";

export interface SaveFormProps {
  /** What the main button says. */
  readonly action: string;
  /** Nothing can be saved as it stands. */
  readonly disabled?: boolean;
  /** Resolves to what went wrong, which is shown above the buttons; the form stays as it was. */
  readonly save: () => Promise<Fault | undefined>;
  readonly onSaved: () => void;
  /** Undefined: the form is always there. */
  readonly onCancel?: () => void;
  /** Between the main button and the one that cancels. */
  readonly buttons?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** Fields that are saved together. */
export function SaveForm(props: SaveFormProps) {
  const { action, disabled = false, save, onSaved, onCancel, buttons, children } = props;
  const saving = useSignal(false);
  const fault = useSignal<Fault | undefined>(undefined);
  const submit = async () => {
    saving.value = true;
    fault.value = await save();
    saving.value = false;
    if (!fault.value) onSaved();
  };
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {children}
      <FaultNote fault={fault.value} />
      <div class="form-buttons">
        <button type="submit" class="button button-main" disabled={disabled || saving.value}>
          {action}
        </button>
        {buttons}
        {onCancel && (
          <button type="button" class="button" onClick={onCancel}>
            Cancel
          </button>
        )}
      </div>
    </form>
  );
}
