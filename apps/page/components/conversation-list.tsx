import { useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { conversationList, listConversations } from "../state/conversations.ts";
import { ago } from "../state/format.ts";
import { route } from "../state/navigation.ts";
import { FaultNote } from "./fault-note.tsx";
import { Icon } from "./icon.tsx";
import { Link } from "./link.tsx";

/** The conversations, last used first, and the way to a new one. */
export function ConversationList({ onFollow }: { onFollow?: () => void }) {
  const { conversations, nextPageToken, loading, fault } = conversationList.value;
  const open = route.value.conversation;
  const now = new Date();
  const follow = onFollow ? { onFollow } : {};
  return (
    <nav class="conversations" aria-label="Conversations">
      <Link
        class="button"
        to={{ conversation: "", agent: "", document: undefined }}
        onFollow={() => {
          onFollow?.();
          // Once the list over the view is gone, which gives the focus back to its button.
          requestAnimationFrame(() => document.getElementById("message")?.focus());
        }}
      >
        <Icon name="plus" />
        <span>New chat</span>
      </Link>
      <FaultNote fault={fault} onRetry={() => void listConversations()} />
      {conversations.length === 0 && !loading && !fault && <p class="empty">No conversations yet.</p>}
      <ul>
        {conversations.map(({ id, title, updatedTime }) => (
          <li key={id}>
            <Link
              class="conversation"
              to={{ conversation: id, agent: "", document: undefined }}
              current={id === open}
              {...follow}
            >
              <span class="conversation-title">{title || "Untitled"}</span>
              {updatedTime && <span class="conversation-time">{ago(updatedTime, now)}</span>}
            </Link>
          </li>
        ))}
      </ul>
      {nextPageToken !== "" && (
        <button type="button" class="button" disabled={loading} onClick={() => void listConversations(true)}>
          Older ones
        </button>
      )}
    </nav>
  );
}

/** The list over the view, where there is no room beside it. */
export function ConversationDrawer({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const shown = useRef(route.peek().conversation);
  useSignalEffect(() => {
    if (route.value.conversation !== shown.current || route.value.view !== "chat") onClose();
  });
  return (
    // Escape closes a dialog by itself.
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above
    <dialog
      ref={dialog}
      class="drawer"
      aria-label="Conversations"
      onClose={onClose}
      onClick={(event) => {
        // The backdrop belongs to the dialog; all else within has an element of its own.
        if (event.target === dialog.current) onClose();
      }}
    >
      <div class="drawer-body">
        <div class="drawer-head">
          <h2>Conversations</h2>
          <button type="button" class="button button-plain" aria-label="Close the list" onClick={onClose}>
            <Icon name="close" />
          </button>
        </div>
        <ConversationList onFollow={onClose} />
      </div>
    </dialog>
  );
}
