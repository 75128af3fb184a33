import type { Memory } from "@headwater/client";
import { useSignal } from "@preact/signals";
import type { Fault } from "../state/fault.ts";
import { ago, counted, percent } from "../state/format.ts";
import { correctMemory, forgetMemory } from "../state/memories.ts";
import { ConfirmButton } from "./confirm-button.tsx";
import { FaultNote } from "./fault-note.tsx";
import { Icon } from "./icon.tsx";
import { InlineEdit } from "./inline-edit.tsx";
import { Link } from "./link.tsx";
import { SurpriseMeter } from "./surprise-meter.tsx";

/** Longest text that the service takes, in UTF-16 code units. */
const longestMemory = 2048;

/** A memory, which can be corrected where it stands, or forgotten. */
export function MemoryEntry({ memory }: { memory: Memory }) {
  const correcting = useSignal(false);
  const fault = useSignal<Fault | undefined>(undefined);
  const { id, text } = memory;
  const correct = async (changed?: string) => {
    fault.value = changed === undefined || changed === text ? undefined : await correctMemory(id, changed);
    if (!fault.value) correcting.value = false;
  };
  return (
    <li class="entry">
      <div class="entry-main">
        {correcting.value ? (
          <InlineEdit
            label="Correction"
            text={text}
            maxLength={longestMemory}
            onDone={(changed) => void correct(changed)}
          />
        ) : (
          <p class="memory-text">{text}</p>
        )}
        <MemoryFacts memory={memory} />
        <FaultNote fault={fault.value} />
      </div>
      <div class="entry-actions">
        <button
          type="button"
          class="button button-plain"
          aria-label={`Correct: ${text}`}
          title="Correct"
          onClick={() => {
            correcting.value = true;
          }}
        >
          <Icon name="pencil" />
        </button>
        <ConfirmButton
          label={`Forget: ${text}`}
          question="Forget?"
          onConfirm={() =>
            void forgetMemory(id).then((failed) => {
              fault.value = failed;
            })
          }
        >
          <Icon name="trash" />
        </ConfirmButton>
      </div>
    </li>
  );
}

function MemoryFacts({ memory }: { memory: Memory }) {
  const { surprise, strength, recallCount, conversationId, createdTime, updatedTime, similarity } = memory;
  const now = new Date();
  const changed = createdTime && updatedTime && updatedTime.getTime() - createdTime.getTime() > 1000;
  return (
    <p class="entry-facts">
      <SurpriseMeter surprise={surprise} />
      <span title="Fades with time, grows when it is recalled or repeated">strength {percent(strength)}</span>
      {similarity > 0 && <span>nearness {similarity.toFixed(2)}</span>}
      {recallCount > 0 && <span>recalled {counted(recallCount, "time")}</span>}
      {createdTime && <span>kept {ago(createdTime, now)}</span>}
      {changed && <span>changed {ago(updatedTime, now)}</span>}
      {conversationId !== "" && (
        <Link to={{ view: "chat", conversation: conversationId, agent: "", document: undefined }}>
          from a conversation
        </Link>
      )}
    </p>
  );
}
