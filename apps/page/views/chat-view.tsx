import { signal, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Composer } from "../components/composer.tsx";
import { ConversationHead } from "../components/conversation-head.tsx";
import { ConversationDrawer, ConversationList } from "../components/conversation-list.tsx";
import { FaultNote } from "../components/fault-note.tsx";
import { Icon } from "../components/icon.tsx";
import { narrowScreen } from "../components/narrow-screen.ts";
import { TurnArticle } from "../components/turn-article.tsx";
import { Welcome } from "../components/welcome.tsx";
import {
  askOther,
  chat,
  goOn,
  leaveChat,
  openConversation,
  runningTurn,
  sendMessage,
  stopTurn,
} from "../state/chat.ts";
import { choices, readChoices } from "../state/choices.ts";
import { connection } from "../state/connection.ts";
import { forkConversation, listConversations } from "../state/conversations.ts";
import type { Fault } from "../state/fault.ts";
import { navigate, route } from "../state/navigation.ts";
import { documentsInStore, pipeline } from "../state/pipeline.ts";

/** Outlives a look at another view. */
const draft = signal("");

/** CSS pixels from the end of the page within which the reader is taken along as an answer grows. */
const nearEnd = 160;

export function ChatView() {
  const { conversation, agent, document: open } = route.value;
  const drawer = useSignal(false);
  const folded = narrowScreen.value || open !== undefined;
  useEffect(() => {
    const leaving = new AbortController();
    void listConversations();
    void readChoices(leaving.signal);
    return () => {
      leaving.abort();
      leaveChat();
    };
  }, []);
  useEffect(() => {
    void openConversation(conversation, agent);
  }, [conversation, agent]);
  useSignalEffect(() => {
    if (connection.value.state !== "live") return;
    for (const turn of chat.peek().turns) if (turn.phase === "cut-off" && turn.turnId !== "") void goOn(turn);
  });
  return (
    <div class={folded ? "chat" : "chat chat-wide"}>
      {!folded && (
        <aside class="chat-side">
          <ConversationList />
        </aside>
      )}
      <div class="chat-main">
        <div class="chat-title">
          <h1>Chat</h1>
          {folded && (
            <button
              type="button"
              class="button"
              aria-haspopup="dialog"
              onClick={() => {
                drawer.value = true;
              }}
            >
              <Icon name="list" />
              <span>Conversations</span>
            </button>
          )}
        </div>
        <Thread />
      </div>
      {folded && drawer.value && (
        <ConversationDrawer
          onClose={() => {
            drawer.value = false;
          }}
        />
      )}
    </div>
  );
}

/** The open conversation. */
function Thread() {
  const { conversationId, agentId, asked, turns, loading, fault } = chat.value;
  const forkFault = useSignal<Fault | undefined>(undefined);
  const running = runningTurn();
  useFollowing(turns.length, turns.at(-1)?.sequence ?? 0);
  const send = (message: string) => void sendMessage(message);
  const fork = async (messageId: string) => {
    const made = await forkConversation(conversationId, messageId);
    if (typeof made === "string") navigate({ conversation: made });
    else forkFault.value = made;
  };
  const empty = turns.length === 0 && !loading && !fault;
  return (
    <>
      {conversationId !== "" && (
        <ConversationHead id={conversationId} fallback={turns[0]?.question.slice(0, 80) ?? ""} />
      )}
      <FaultNote fault={fault ?? forkFault.value} onRetry={() => void openConversation(conversationId)} />
      {loading && turns.length === 0 && <p class="quiet">Opening …</p>}
      {empty && (documentsInStore(pipeline.value) === 0 ? <Welcome /> : <Beginning />)}
      <div class="turns">
        {turns.map((turn) => (
          <TurnArticle
            key={turn.key}
            turn={turn}
            onRetry={running || turn.question === "" ? undefined : () => send(turn.question)}
            onFork={() => void fork(turn.messageId)}
          />
        ))}
      </div>
      <div class="composer-place">
        <FaultNote fault={choices.value.fault} />
        <Composer
          draft={draft}
          asked={asked}
          agentIsSet={agentId !== ""}
          onStop={running ? () => void stopTurn(running) : undefined}
          onAsked={askOther}
          onSend={send}
        />
      </div>
    </>
  );
}

function Beginning() {
  return (
    <section class="beginning">
      <h2>What would you like to know?</h2>
      <p>
        Answers come from your documents, with a source for every claim. Each further question is understood
        in the light of those before it, and what you tell of yourself is remembered.
      </p>
    </section>
  );
}

/** Keeps the end in sight while it grows, unless the reader has scrolled away from it. */
function useFollowing(turns: number, sequence: number): void {
  const atEnd = useRef(true);
  const before = useRef(turns);
  useEffect(() => {
    const look = () => {
      const { scrollHeight } = document.documentElement;
      atEnd.current = scrollHeight - innerHeight - scrollY < nearEnd;
    };
    addEventListener("scroll", look, { passive: true });
    return () => removeEventListener("scroll", look);
  }, []);
  useLayoutEffect(() => {
    if (turns > before.current) atEnd.current = true;
    before.current = turns;
    if (turns > 0 && atEnd.current) scrollTo(0, document.documentElement.scrollHeight);
  }, [turns, sequence]);
}
