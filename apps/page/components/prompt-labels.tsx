import type { Prompt, PromptShare, PromptVersion } from "@headwater/client";
import { useSignal } from "@preact/signals";
import type { Fault } from "../state/fault.ts";
import { sharesText, versionName } from "../state/prompt-text.ts";
import { rollBack, setLabel } from "../state/prompts.ts";
import { ConfirmButton } from "./confirm-button.tsx";
import { FaultNote } from "./fault-note.tsx";
import { Icon } from "./icon.tsx";
import { SaveForm } from "./save-form.tsx";
import { TextField } from "./text-field.tsx";

export interface PromptLabelsProps {
  readonly prompt: Prompt;
  readonly versions: readonly PromptVersion[];
}

/** Labels, the versions that they point at, and the way to point them elsewhere or back. */
export function PromptLabels({ prompt: { name, labels }, versions }: PromptLabelsProps) {
  const setting = useSignal<{ label: string; shares: readonly PromptShare[] } | undefined>(undefined);
  const fault = useSignal<Fault | undefined>(undefined);
  const latest = versions[0]?.version ?? 0;
  return (
    <section aria-labelledby="labels">
      <div class="section-head">
        <h2 id="labels">Labels</h2>
        {!setting.value && (
          <button
            type="button"
            class="button"
            onClick={() => {
              setting.value = { label: "production", shares: [{ version: latest, weight: 1 }] };
            }}
          >
            Set a label
          </button>
        )}
      </div>
      {setting.value && (
        <LabelForm
          key={setting.value.label}
          name={name}
          versions={versions}
          {...setting.value}
          onDone={() => {
            setting.value = undefined;
          }}
        />
      )}
      <FaultNote fault={fault.value} />
      {labels.length === 0 && (
        <p class="empty">None yet. Answers are written by the version under “production”.</p>
      )}
      <ul>
        {labels.map(({ label, shares }) => (
          <li key={label} class="entry">
            <div class="entry-main">
              <h3>{label}</h3>
              <p class="entry-facts">{sharesText(shares)}</p>
            </div>
            <div class="entry-actions">
              <ConfirmButton
                label={`Roll back ${label}`}
                question="Roll back?"
                onConfirm={() =>
                  void rollBack(name, label).then((failed) => {
                    fault.value = failed;
                  })
                }
              >
                <Icon name="retry" />
              </ConfirmButton>
              <button
                type="button"
                class="button button-plain"
                aria-label={`Change ${label}`}
                title={`Change ${label}`}
                onClick={() => {
                  setting.value = { label, shares };
                }}
              >
                <Icon name="pencil" />
              </button>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface LabelFormProps {
  readonly name: string;
  readonly versions: readonly PromptVersion[];
  readonly label: string;
  readonly shares: readonly PromptShare[];
  readonly onDone: () => void;
}

function LabelForm({ name, versions, label, shares, onDone }: LabelFormProps) {
  const typed = useSignal(label);
  const sides = useSignal<readonly PromptShare[]>(shares);
  const change = (index: number, part: Partial<PromptShare>) => {
    sides.value = sides.value.map((side, at) => (at === index ? { ...side, ...part } : side));
  };
  return (
    <SaveForm
      action="Set it"
      save={() => setLabel(name, typed.value, sides.value)}
      onSaved={onDone}
      onCancel={onDone}
      buttons={
        <>
          {sides.value.length < versions.length && (
            <button
              type="button"
              class="button"
              onClick={() => {
                const free = versions.find(
                  ({ version }) => !sides.value.some((side) => side.version === version),
                );
                sides.value = [...sides.value, { version: free?.version ?? 0, weight: 1 }];
              }}
            >
              Split with another version
            </button>
          )}
          {sides.value.length > 1 && (
            <button
              type="button"
              class="button"
              onClick={() => {
                sides.value = sides.value.slice(0, -1);
              }}
            >
              Take the last side away
            </button>
          )}
        </>
      }
    >
      <TextField
        label="Label"
        value={typed.value}
        required
        maxLength={64}
        pattern="[a-z0-9._\-]*[a-z][a-z0-9._\-]*"
        onType={(value) => {
          typed.value = value;
        }}
      />
      {sides.value.map((side, index) => (
        // Sides are known by their place alone.
        <div key={index} class="form-row">
          <label class="text-field">
            <span class="text-field-label">Version</span>
            <select
              class="field"
              value={String(side.version)}
              onChange={(event) => change(index, { version: Number(event.currentTarget.value) })}
            >
              {versions.map(({ version }) => (
                <option key={version} value={String(version)}>
                  {versionName(version)}
                </option>
              ))}
            </select>
          </label>
          <TextField
            label="Weight"
            value={String(side.weight)}
            required
            range={{ min: 0.001, max: 1_000_000, step: "any" }}
            onType={(value) => change(index, { weight: Number(value) })}
          />
        </div>
      ))}
    </SaveForm>
  );
}
