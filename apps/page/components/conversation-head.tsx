import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import {
  conversationList,
  deleteConversation,
  exportConversation,
  forkConversation,
  renameConversation,
} from "../state/conversations.ts";
import type { Fault } from "../state/fault.ts";
import { navigate } from "../state/navigation.ts";
import { ConfirmButton } from "./confirm-button.tsx";
import { FaultNote } from "./fault-note.tsx";
import { Icon } from "./icon.tsx";
import { InlineEdit } from "./inline-edit.tsx";

/** Longest title that the service takes, in UTF-16 code units. */
const longestTitle = 256;

/** The title of the open conversation, and what can be done with it. */
export function ConversationHead({ id, fallback }: { id: string; fallback: string }) {
  const renaming = useSignal(false);
  const fault = useSignal<Fault | undefined>(undefined);
  const known = conversationList.value.conversations.find((conversation) => conversation.id === id);
  const title = known?.title || fallback || "Untitled";
  useEffect(() => {
    renaming.value = false;
    fault.value = undefined;
  }, [id, renaming, fault]);
  const fork = async () => {
    const made = await forkConversation(id);
    if (typeof made === "string") navigate({ conversation: made });
    else fault.value = made;
  };
  const remove = async () => {
    fault.value = await deleteConversation(id);
    if (!fault.value) navigate({ conversation: "", document: undefined }, "replace");
  };
  return (
    <>
      <div class="chat-head">
        {renaming.value ? (
          <InlineEdit
            label="Title"
            text={title}
            maxLength={longestTitle}
            onDone={(changed) => {
              renaming.value = false;
              if (changed !== undefined && changed !== title)
                void renameConversation(id, changed).then((failed) => {
                  fault.value = failed;
                });
            }}
          />
        ) : (
          <h2>{title}</h2>
        )}
        <div class="chat-head-actions">
          <button
            type="button"
            class="button button-plain"
            aria-label="Rename"
            title="Rename"
            onClick={() => {
              renaming.value = true;
            }}
          >
            <Icon name="pencil" />
          </button>
          <button
            type="button"
            class="button button-plain"
            aria-label="Fork"
            title="Fork: go on in a copy"
            onClick={() => void fork()}
          >
            <Icon name="fork" />
          </button>
          <button
            type="button"
            class="button button-plain"
            aria-label="Export"
            title="Export as JSON"
            onClick={() =>
              void exportConversation(id).then((failed) => {
                fault.value = failed;
              })
            }
          >
            <Icon name="download" />
          </button>
          <ConfirmButton label="Delete the conversation" question="Delete?" onConfirm={() => void remove()}>
            <Icon name="trash" />
          </ConfirmButton>
        </div>
      </div>
      <FaultNote fault={fault.value} />
    </>
  );
}
