import { useSignal } from "@preact/signals";

interface InlineEditProps {
  /** What the field is called to those who do not see it. */
  readonly label: string;
  readonly text: string;
  /** In UTF-16 code units. */
  readonly maxLength: number;
  /** `changed` is undefined where it was given up, with Escape. */
  readonly onDone: (changed?: string) => void;
}

/** A line of text, edited where it stands: Enter saves what is not empty, Escape gives up. */
export function InlineEdit({ label, text, maxLength, onDone }: InlineEditProps) {
  const typed = useSignal(text);
  return (
    <form
      class="rename"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed.value.trim() !== "") onDone(typed.value.trim());
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onDone();
      }}
    >
      <input
        class="field"
        aria-label={label}
        maxLength={maxLength}
        value={typed}
        ref={(field) => {
          if (field && document.activeElement !== field) field.select();
        }}
        onInput={(event) => {
          typed.value = event.currentTarget.value;
        }}
      />
      <button type="submit" class="button">
        Save
      </button>
    </form>
  );
}
