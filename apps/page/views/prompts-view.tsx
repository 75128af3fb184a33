import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ConfirmButton } from "../components/confirm-button.tsx";
import { FaultNote } from "../components/fault-note.tsx";
import { Icon } from "../components/icon.tsx";
import { Link } from "../components/link.tsx";
import { PromptEditor } from "../components/prompt-editor.tsx";
import { PromptLabels } from "../components/prompt-labels.tsx";
import { PromptVersions } from "../components/prompt-versions.tsx";
import type { Fault } from "../state/fault.ts";
import { navigate, route } from "../state/navigation.ts";
import { sharesText } from "../state/prompt-text.ts";
import { deletePrompt, listPrompts, promptList, promptShown, showPrompt } from "../state/prompts.ts";

export function PromptsView() {
  const open = route.value.prompt;
  return open === "" ? <PromptOverview /> : <OpenPrompt key={open} name={open} />;
}

function PromptOverview() {
  const { prompts, loading, fault } = promptList.value;
  const making = useSignal(false);
  useEffect(() => {
    const leaving = new AbortController();
    void listPrompts(leaving.signal);
    return () => leaving.abort();
  }, []);
  return (
    <>
      <div class="view-head">
        <h1>Prompts</h1>
        {!making.value && (
          <button
            type="button"
            class="button button-main"
            onClick={() => {
              making.value = true;
            }}
          >
            <Icon name="plus" />
            <span>New prompt</span>
          </button>
        )}
      </div>
      <p class="lead">
        What models are told, in versions that never change. Labels point at the versions that are used, and
        can be split between several or rolled back.
      </p>
      {making.value && (
        <PromptEditor
          name=""
          text=""
          variables={[]}
          onDone={(name) => {
            making.value = false;
            if (name !== "") navigate({ prompt: name });
          }}
        />
      )}
      <FaultNote fault={fault} onRetry={() => void listPrompts()} />
      {prompts.length === 0 && !loading && !fault && <p class="empty">No prompts yet.</p>}
      <ul class="cards">
        {prompts.map(({ name, latestVersion, labels, builtIn }) => (
          <li key={name} class="entry">
            <div class="entry-main">
              <h2>
                <Link class="entry-title" to={{ prompt: name }}>
                  {name}
                </Link>
              </h2>
              <p class="entry-facts">
                <span>{latestVersion === 0 ? "as it comes" : `newest version ${latestVersion}`}</span>
                {builtIn && <span class="badge">comes with Headwater</span>}
                {labels.map(({ label, shares }) => (
                  <span key={label}>
                    {label}: {sharesText(shares)}
                  </span>
                ))}
              </p>
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}

function OpenPrompt({ name }: { name: string }) {
  const { prompt, versions, loading, fault } = promptShown.value;
  const writing = useSignal(false);
  const deleteFault = useSignal<Fault | undefined>(undefined);
  useEffect(() => void showPrompt(name), [name]);
  const remove = async () => {
    deleteFault.value = await deletePrompt(name);
    if (!deleteFault.value) navigate({ prompt: "" }, "replace");
  };
  const shown = prompt?.name === name ? prompt : undefined;
  return (
    <>
      <p>
        <Link to={{ prompt: "" }}>All prompts</Link>
      </p>
      <div class="view-head">
        <h1>{name}</h1>
        {shown && !writing.value && (
          <div class="form-buttons">
            <button
              type="button"
              class="button button-main"
              onClick={() => {
                writing.value = true;
              }}
            >
              <Icon name="pencil" />
              <span>New version</span>
            </button>
            {shown.latestVersion > 0 && (
              <ConfirmButton
                label={`Delete ${name}`}
                question={shown.builtIn ? "Back to how it came?" : "Delete all versions?"}
                onConfirm={() => void remove()}
              >
                <Icon name="trash" />
              </ConfirmButton>
            )}
          </div>
        )}
      </div>
      <FaultNote fault={fault ?? deleteFault.value} onRetry={() => void showPrompt(name)} />
      {!shown && loading && <p class="quiet">Opening …</p>}
      {shown && (
        <>
          {writing.value && (
            <PromptEditor
              name={name}
              text={versions[0]?.text ?? ""}
              variables={shown.variables}
              onDone={() => {
                writing.value = false;
              }}
            />
          )}
          <PromptLabels prompt={shown} versions={versions} />
          <PromptVersions name={name} versions={versions} />
        </>
      )}
    </>
  );
}
