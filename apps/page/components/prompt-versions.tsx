import type { PromptVersion } from "@headwater/client";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Fault } from "../state/fault.ts";
import { ago } from "../state/format.ts";
import { diffLines, versionName } from "../state/prompt-text.ts";
import { diffVersions } from "../state/prompts.ts";
import { FaultNote } from "./fault-note.tsx";

/** The versions of a prompt, newest first, and what differs between any two. */
export function PromptVersions({ name, versions }: { name: string; versions: readonly PromptVersion[] }) {
  return (
    <section aria-labelledby="versions">
      <div class="section-head">
        <h2 id="versions">Versions</h2>
      </div>
      <ul>
        {versions.map(({ version, text, note, createdTime, variables }) => (
          <li key={version} class="entry">
            <div class="entry-main">
              <h3>{version === 0 ? "Comes with Headwater" : `Version ${version}`}</h3>
              {note && <p>{note}</p>}
              <p class="entry-facts">
                {version > 0 && createdTime && <span>{ago(createdTime, new Date())}</span>}
                {variables.length > 0 && <span>variables: {variables.join(", ")}</span>}
              </p>
              <details class="prompt-text">
                <summary>Text</summary>
                <p>{text}</p>
              </details>
            </div>
          </li>
        ))}
      </ul>
      {versions.length > 1 && <VersionDiff key={versions[0]?.version} name={name} versions={versions} />}
    </section>
  );
}

function VersionDiff({ name, versions }: { name: string; versions: readonly PromptVersion[] }) {
  const from = useSignal(versions[1]?.version ?? 0);
  const to = useSignal(versions[0]?.version ?? 0);
  const diff = useSignal<string | undefined>(undefined);
  const fault = useSignal<Fault | undefined>(undefined);
  useEffect(() => {
    let left = false;
    void diffVersions(name, from.value, to.value).then((answered) => {
      if (left) return;
      diff.value = typeof answered === "string" ? answered : undefined;
      fault.value = typeof answered === "string" ? undefined : answered;
    });
    return () => {
      left = true;
    };
  }, [name, from.value, to.value]);
  const choice = (label: string, chosen: typeof from) => (
    <label class="text-field">
      <span class="text-field-label">{label}</span>
      <select
        class="field"
        value={String(chosen.value)}
        onChange={(event) => {
          chosen.value = Number(event.currentTarget.value);
        }}
      >
        {versions.map(({ version }) => (
          <option key={version} value={String(version)}>
            {versionName(version)}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <section class="diff-box" aria-label="What differs">
      <div class="form-row">
        {choice("From", from)}
        {choice("To", to)}
      </div>
      <FaultNote fault={fault.value} />
      {diff.value === "" && <p class="quiet">Nothing differs.</p>}
      {diff.value && (
        <pre class="diff">
          {diffLines(diff.value).map(({ kind, text }, index) => (
            <span key={index} class={`diff-line diff-${kind}`}>
              {text}
              {"\n"}
            </span>
          ))}
        </pre>
      )}
    </section>
  );
}
