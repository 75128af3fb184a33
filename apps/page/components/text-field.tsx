import { useId } from "preact/hooks";

export interface TextFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onType: (value: string) => void;
  /** Said below the field. */
  readonly hint?: string;
  readonly placeholder?: string;
  readonly maxLength?: number;
  readonly required?: boolean;
  /** What the browser checks before the form is sent. */
  readonly pattern?: string;
  /** Makes it a field of several lines. */
  readonly rows?: number;
  /** Makes it a field for numbers. */
  readonly range?: { readonly min: number; readonly max: number; readonly step: number | "any" };
}

/** A field of a form with its label. */
export function TextField({ label, value, onType, hint, rows, range, ...rest }: TextFieldProps) {
  const id = useId();
  const given = {
    ...rest,
    id,
    class: "field",
    value,
    "aria-describedby": hint ? `${id}-hint` : undefined,
    onInput: (event: { currentTarget: HTMLInputElement | HTMLTextAreaElement }) =>
      onType(event.currentTarget.value),
  };
  return (
    <div class="text-field">
      <label class="text-field-label" for={id}>
        {label}
      </label>
      {rows !== undefined ? (
        <textarea {...given} rows={rows} />
      ) : range ? (
        <input {...given} {...range} type="number" />
      ) : (
        <input {...given} type="text" />
      )}
      {hint && (
        <span id={`${id}-hint`} class="text-field-hint">
          {hint}
        </span>
      )}
    </div>
  );
}
