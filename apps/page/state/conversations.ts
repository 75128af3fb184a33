import type { Conversation } from "@headwater/client";
import { signal } from "@preact/signals";
import { announce } from "./announcer.ts";
import type { Fault } from "./fault.ts";
import { faultOf } from "./fault.ts";
import { saveFile } from "./save-file.ts";
import { server } from "./server.ts";

export interface ConversationList {
  /** Last used first. */
  readonly conversations: readonly Conversation[];
  readonly nextPageToken: string;
  readonly loading: boolean;
  readonly fault: Fault | undefined;
}

export const conversationList = signal<ConversationList>({
  conversations: [],
  nextPageToken: "",
  loading: true,
  fault: undefined,
});

let latest = 0;

/** Lists anew, or, with `more`, the next page. */
export async function listConversations(more = false): Promise<void> {
  latest += 1;
  const mine = latest;
  const before = conversationList.peek();
  conversationList.value = { ...before, loading: true, fault: undefined };
  try {
    const pageToken = more ? before.nextPageToken : "";
    const page = await server.conversations.list({ pageToken });
    if (mine !== latest) return;
    conversationList.value = {
      conversations: more ? [...before.conversations, ...page.conversations] : page.conversations,
      nextPageToken: page.nextPageToken,
      loading: false,
      fault: undefined,
    };
  } catch (thrown) {
    if (mine === latest) conversationList.value = { ...before, loading: false, fault: faultOf(thrown) };
  }
}

/** @returns what went wrong, if something did */
export async function renameConversation(id: string, title: string): Promise<Fault | undefined> {
  try {
    await server.conversations.rename(id, title);
    announce(`Renamed to ${title}.`);
    await listConversations();
    return undefined;
  } catch (thrown) {
    return faultOf(thrown);
  }
}

/**
 * Copies a conversation up to a message, or whole.
 * @returns the copy's id, or what went wrong
 */
export async function forkConversation(id: string, messageId = ""): Promise<string | Fault | undefined> {
  try {
    const copy = await server.conversations.fork(id, { messageId });
    announce("Forked. You are in the copy now.");
    await listConversations();
    return copy.id;
  } catch (thrown) {
    return faultOf(thrown);
  }
}

/** @returns what went wrong, if something did */
export async function deleteConversation(id: string): Promise<Fault | undefined> {
  try {
    await server.conversations.delete(id);
    announce("The conversation is deleted.");
    await listConversations();
    return undefined;
  } catch (thrown) {
    return faultOf(thrown);
  }
}

/**
 * Saves a conversation whole, as JSON.
 * @returns what went wrong, if something did
 */
export async function exportConversation(id: string): Promise<Fault | undefined> {
  try {
    const whole = await server.conversations.export(id);
    const words = whole.conversation.title.slice(0, 60).match(/[\p{L}\p{N}]+/gu) ?? ["conversation"];
    const blob = new Blob([JSON.stringify(whole, null, 2)], { type: "application/json" });
    saveFile(blob, `${words.join("-")}.json`);
    return undefined;
  } catch (thrown) {
    return faultOf(thrown);
  }
}
