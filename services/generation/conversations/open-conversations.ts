import type { RecordStore } from "@headwater/record-store";
import type { GenerationConfig } from "../config.ts";
import { Turns } from "../turns/turns.ts";
import type { ChatParts } from "./chat.ts";
import { Chat } from "./chat.ts";
import { ConversationHandlers } from "./conversation-handlers.ts";
import { ConversationStore } from "./conversation-store.ts";

export interface OpenConversations {
  readonly handlers: ConversationHandlers;
  /** Ends the turns that run; what they are made with is closed later. */
  close(): Promise<void>;
}

/** Conversations and their turns, over the records of generation. */
export async function openConversations(
  records: RecordStore,
  config: Pick<GenerationConfig, "turns">,
  parts: Omit<ChatParts, "turns" | "store" | "historyTokens">,
): Promise<OpenConversations> {
  const { historyTokens, ...limits } = config.turns;
  const turns = await Turns.open({
    ...limits,
    records,
    onError: (what, thrown) => parts.telemetry.log.warn({ err: thrown }, what),
  });
  const store = new ConversationStore(records);
  const chat = new Chat({ ...parts, turns, store, historyTokens });
  return { handlers: new ConversationHandlers({ store, turns, chat }), close: () => turns.close() };
}
