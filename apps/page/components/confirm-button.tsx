import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";

export interface ConfirmButtonProps {
  readonly label: string;
  /** What the button asks before it acts, such as "Delete?". */
  readonly question: string;
  readonly onConfirm: () => void;
  readonly disabled?: boolean;
  readonly children: ComponentChildren;
}

/** Acts on the second press; going elsewhere in between takes the first back. */
export function ConfirmButton({ label, question, onConfirm, disabled, children }: ConfirmButtonProps) {
  const asking = useSignal(false);
  if (asking.value)
    return (
      <button
        key="asking"
        type="button"
        class="button button-danger"
        ref={(button) => button?.focus()}
        onBlur={() => {
          asking.value = false;
        }}
        onClick={() => {
          asking.value = false;
          onConfirm();
        }}
      >
        {question}
      </button>
    );
  return (
    <button
      key="resting"
      type="button"
      class="button button-plain"
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={() => {
        asking.value = true;
      }}
    >
      {children}
    </button>
  );
}
