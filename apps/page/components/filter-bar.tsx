import { useSignal } from "@preact/signals";
import { toggled } from "../state/filter.ts";
import { mediaTypeName } from "../state/format.ts";
import { navigate } from "../state/navigation.ts";
import type { SearchOptions } from "../state/route.ts";
import { Icon } from "./icon.tsx";
import { SearchSettings } from "./search-settings.tsx";

/** Media types that ingest reads, in the order in which people are likely to have them. */
const mediaTypes = [
  "application/pdf",
  "text/markdown",
  "text/html",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  "text/plain",
  "text/csv",
  "application/jsonl",
];

export interface FilterBarProps {
  readonly options: SearchOptions;
  /** Attributes that may be worth a filter. */
  readonly suggestions: readonly (readonly [key: string, value: string])[];
  /** True: the settings of fusion and rerank are offered too. */
  readonly withSettings: boolean;
}

/** Narrows what is searched: kinds of files, attributes. */
export function FilterBar({ options, suggestions, withSettings }: FilterBarProps) {
  const open = useSignal(false);
  const changed = options.mediaTypes.length + options.attributes.length + settingsChanged(options);
  const change = (part: Partial<SearchOptions>) => navigate({ options: { ...options, ...part } });
  return (
    <div class="filters">
      <button
        type="button"
        class="button button-plain"
        aria-expanded={open}
        aria-controls="filters"
        onClick={() => {
          open.value = !open.value;
        }}
      >
        <Icon name="sliders" />
        <span>{withSettings ? "Filters and settings" : "Filters"}</span>
        {changed > 0 && <span class="tab-count">{changed}</span>}
      </button>
      {!open.value && (
        <ul class="chips" aria-label="Filters that are on">
          {options.mediaTypes.map((type) => (
            <li key={type}>
              <RemoveChip
                label={mediaTypeName(type)}
                onRemove={() => change({ mediaTypes: toggled(options.mediaTypes, type) })}
              />
            </li>
          ))}
          {options.attributes.map((pair) => (
            <li key={pair.join(":")}>
              <RemoveChip
                label={pair.join(": ")}
                onRemove={() => change({ attributes: toggled(options.attributes, pair) })}
              />
            </li>
          ))}
        </ul>
      )}
      <div id="filters" class="filters-body" hidden={!open.value}>
        <fieldset>
          <legend>Kind of file</legend>
          <div class="chips">
            {[...new Set([...mediaTypes, ...options.mediaTypes])].map((type) => (
              <label key={type} class="chip">
                <input
                  type="checkbox"
                  checked={options.mediaTypes.includes(type)}
                  onChange={() => change({ mediaTypes: toggled(options.mediaTypes, type) })}
                />
                {mediaTypeName(type)}
              </label>
            ))}
          </div>
        </fieldset>
        <AttributeFilters options={options} suggestions={suggestions} onChange={change} />
        {withSettings && <SearchSettings options={options} onChange={change} />}
      </div>
    </div>
  );
}

function settingsChanged(options: SearchOptions): number {
  return (
    Number(options.fusion !== "") +
    Number(options.lexicalWeight !== undefined) +
    Number(!options.rerank) +
    Number(options.groupByDocument)
  );
}

function RemoveChip({ label, onRemove }: { label: string; onRemove: () => void }) {
  return (
    <button type="button" class="chip chip-on" aria-label={`Remove filter ${label}`} onClick={onRemove}>
      {label}
      <Icon name="close" />
    </button>
  );
}

function AttributeFilters({
  options,
  suggestions,
  onChange,
}: {
  options: SearchOptions;
  suggestions: FilterBarProps["suggestions"];
  onChange: (part: Partial<SearchOptions>) => void;
}) {
  const key = useSignal("");
  const value = useSignal("");
  const offered = [...suggestions.slice(0, 12)];
  for (const pair of options.attributes)
    if (!offered.some((other) => other.join(":") === pair.join(":"))) offered.push(pair);
  const isOn = (pair: readonly [string, string]) =>
    options.attributes.some((other) => other.join(":") === pair.join(":"));
  const toggle = (pair: readonly [string, string]) =>
    onChange({ attributes: toggled(options.attributes, pair) });
  return (
    <fieldset>
      <legend>Attributes</legend>
      {offered.length > 0 && (
        <div class="chips">
          {offered.map((pair) => (
            <label key={pair.join(":")} class="chip">
              <input type="checkbox" checked={isOn(pair)} onChange={() => toggle(pair)} />
              {pair.join(": ")}
            </label>
          ))}
        </div>
      )}
      <form
        class="attribute-form"
        onSubmit={(event) => {
          event.preventDefault();
          const pair = [key.value.trim(), value.value.trim()] as const;
          if (pair[0] === "" || pair[1] === "" || isOn(pair)) return;
          toggle(pair);
          key.value = "";
          value.value = "";
        }}
      >
        <label>
          <span>Name</span>
          <input
            class="field"
            value={key}
            maxLength={128}
            onInput={(event) => {
              key.value = event.currentTarget.value;
            }}
          />
        </label>
        <label>
          <span>Value</span>
          <input
            class="field"
            value={value}
            maxLength={1024}
            onInput={(event) => {
              value.value = event.currentTarget.value;
            }}
          />
        </label>
        <button type="submit" class="button">
          Add
        </button>
      </form>
    </fieldset>
  );
}
