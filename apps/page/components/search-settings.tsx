import type { FusionMethodName } from "@headwater/client";
import type { SearchOptions } from "../state/route.ts";

const methods: readonly { value: "" | FusionMethodName; label: string }[] = [
  { value: "", label: "As the server is set" },
  { value: "min_max", label: "Weighted scores (min-max)" },
  { value: "rrf", label: "Reciprocal ranks (RRF)" },
];

/** How hits are put in order: for those who want to see what each part does. */
export function SearchSettings({
  options,
  onChange,
}: {
  options: SearchOptions;
  onChange: (part: Partial<SearchOptions>) => void;
}) {
  const weight = options.lexicalWeight;
  return (
    <fieldset>
      <legend>Order</legend>
      <div class="settings">
        <label>
          <span>Fusion</span>
          <select
            class="field"
            value={options.fusion}
            onChange={(event) =>
              onChange({
                fusion: methods.find(({ value }) => value === event.currentTarget.value)?.value ?? "",
              })
            }
          >
            {methods.map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>
            Share of words against meaning: {weight === undefined ? "as the server is set" : weight}
          </span>
          <input
            type="range"
            min={0}
            max={1}
            step={0.1}
            value={weight ?? 0.4}
            onChange={(event) => onChange({ lexicalWeight: event.currentTarget.valueAsNumber })}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={options.rerank}
            onChange={(event) => onChange({ rerank: event.currentTarget.checked })}
          />
          Rerank the best hits
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={options.groupByDocument}
            onChange={(event) => onChange({ groupByDocument: event.currentTarget.checked })}
          />
          One hit a document
        </label>
        {(options.fusion !== "" || weight !== undefined) && (
          <button
            type="button"
            class="button"
            onClick={() => onChange({ fusion: "", lexicalWeight: undefined })}
          >
            Back to the server's settings
          </button>
        )}
      </div>
    </fieldset>
  );
}
