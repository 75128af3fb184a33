import type { ChatEvent, Feedback, StartedEvent } from "@headwater/client";
import { signal } from "@preact/signals";
import { announce } from "./announcer.ts";
import type { Turn } from "./chat-turn.ts";
import { endNotes, newTurn, turnsOf, withChatEvent } from "./chat-turn.ts";
import { listConversations } from "./conversations.ts";
import type { Fault } from "./fault.ts";
import { faultOf } from "./fault.ts";
import { counted } from "./format.ts";
import { perFrame } from "./frame.ts";
import { navigate, route } from "./navigation.ts";
import { Remembered } from "./remembered.ts";
import { server } from "./server.ts";
import { uniqueKey } from "./unique-key.ts";

/** Who is to answer the next message. */
export interface Asked {
  /** Empty: the conversation's. */
  readonly agentId: string;
  /** Empty: the agent's, or the server's. */
  readonly model: string;
}

/** The conversation that is open. */
export interface Chat {
  /** Empty: a new one, which the first message makes. */
  readonly conversationId: string;
  /** Of the conversation; empty: it has none. */
  readonly agentId: string;
  readonly asked: Asked;
  readonly turns: readonly Turn[];
  readonly loading: boolean;
  readonly fault: Fault | undefined;
}

const emptyChat: Chat = {
  conversationId: "",
  agentId: "",
  asked: { agentId: "", model: "" },
  turns: [],
  loading: false,
  fault: undefined,
};

export const chat = signal<Chat>(emptyChat);

/** What people said of the answers, by the id of the answer's message. */
export const ratings = signal<ReadonlyMap<string, Feedback>>(new Map());

/** Turns that were followed to their end: they know what the kept messages do not, such as what was recalled. */
const followed = new Remembered<Turn>(100);

let leaving = new AbortController();

/**
 * Shows a conversation, and goes on with its turn if one is under way.
 * @param id "" is a new conversation
 * @param agent whom a new one asks first
 */
export async function openConversation(id: string, agent = ""): Promise<void> {
  // One that was just begun has its address from its first turn on, and that turn is being followed already.
  if (id === chat.peek().conversationId && runningTurn() && !leaving.signal.aborted) return;
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  if (id === "") {
    chat.value = { ...emptyChat, asked: { agentId: agent, model: "" } };
    return;
  }
  const before = chat.peek();
  chat.value =
    before.conversationId === id
      ? { ...before, loading: true, fault: undefined }
      : { ...emptyChat, conversationId: id, loading: true };
  try {
    const [{ agentId }, { messages, activeTurnId }] = await Promise.all([
      server.conversations.get(id, { signal }),
      readMessages(id, signal),
    ]);
    const turns = turnsOf(messages, activeTurnId).map((turn) => followed.get(turn.messageId) ?? turn);
    const asked = { ...chat.peek().asked, agentId };
    chat.value = { conversationId: id, agentId, asked, turns, loading: false, fault: undefined };
    const active = turns.find(({ turnId, phase }) => turnId === activeTurnId && phase === "running");
    if (active) void follow(active, server.turns.resume(active.turnId, { signal }), signal);
    if (turns.length > 0) await readRatings(signal);
  } catch (thrown) {
    const fault = faultOf(thrown, signal);
    if (fault) chat.value = { ...chat.peek(), loading: false, fault };
  }
}

async function readMessages(id: string, signal: AbortSignal) {
  const messages = [];
  let pageToken = "";
  let activeTurnId = "";
  do {
    const page = await server.conversations.messages(id, { pageSize: 200, pageToken, signal });
    messages.push(...page.messages);
    ({ nextPageToken: pageToken, activeTurnId } = page);
  } while (pageToken !== "");
  return { messages, activeTurnId };
}

/** The newest: what was said of answers long ago is not shown. */
async function readRatings(signal: AbortSignal): Promise<void> {
  const { feedback } = await server.feedback.list({ pageSize: 200, signal });
  ratings.value = new Map(feedback.map((one) => [one.answerId, one]));
}

/** Stops following; the turn itself goes on, and is found again when the conversation is opened. */
export function leaveChat(): void {
  leaving.abort();
}

export function askOther(asked: Asked): void {
  chat.value = { ...chat.peek(), asked };
}

/** Sends a message and follows its turn. */
export async function sendMessage(message: string): Promise<void> {
  if (runningTurn()) return;
  const { conversationId, asked } = chat.peek();
  const { signal } = leaving;
  const key = uniqueKey();
  const turn = newTurn(key, message);
  // A message that the server never took makes room for the next.
  const turns = chat.peek().turns.filter(({ phase, turnId }) => phase !== "cut-off" || turnId !== "");
  chat.value = { ...chat.peek(), turns: [...turns, turn] };
  const options = { conversationId, ...asked, idempotencyKey: key, signal };
  await follow(turn, server.chat(message, options), signal);
}

/** Takes up a turn again that could not be followed any further. */
export async function goOn(turn: Turn): Promise<void> {
  const { signal } = leaving;
  const again: Turn = { ...turn, phase: "running", fault: undefined };
  putTurn(again);
  await follow(again, server.turns.resume(turn.turnId, { after: turn.sequence, signal }), signal);
}

/** Ends the turn at the server; what has come stays. */
export async function stopTurn({ turnId }: Turn): Promise<void> {
  // Before the server has begun it there is nothing that could be told to end.
  if (turnId === "") return;
  try {
    await server.turns.cancel(turnId);
  } catch (thrown) {
    chat.value = { ...chat.peek(), fault: faultOf(thrown) };
  }
}

/** @returns what went wrong, if something did */
export async function decideCall(turn: Turn, callId: string, approved: boolean): Promise<Fault | undefined> {
  try {
    await server.turns.decide(turn.turnId, callId, approved);
    announce(approved ? "Approved." : "Refused.");
    return undefined;
  } catch (thrown) {
    return faultOf(thrown);
  }
}

/** @returns what went wrong, if something did */
export async function rateTurn(
  { messageId, question, end }: Turn,
  given: { rating: "up" | "down" | "none"; correction: string },
): Promise<Fault | undefined> {
  try {
    const feedback = await server.feedback.give({
      ...{ answerId: messageId, question: question.slice(0, longestQuestion), ...given },
      model: end?.model ?? "",
      ...(end?.prompt ? { prompt: end.prompt } : {}),
    });
    ratings.value = new Map(ratings.peek()).set(messageId, feedback);
    announce("Thank you, that is noted.");
    return undefined;
  } catch (thrown) {
    return faultOf(thrown);
  }
}

/** UTF-16 code units of a question that feedback takes. */
const longestQuestion = 8192;

export function runningTurn(): Turn | undefined {
  return chat.value.turns.find(({ phase }) => phase === "running");
}

function putTurn(turn: Turn): void {
  const now = chat.peek();
  chat.value = { ...now, turns: now.turns.map((other) => (other.key === turn.key ? turn : other)) };
}

async function follow(turn: Turn, events: AsyncIterable<ChatEvent>, signal: AbortSignal): Promise<void> {
  let now = turn;
  const show = perFrame(() => {
    if (!signal.aborted) putTurn(now);
  });
  try {
    for await (const event of events) {
      now = withChatEvent(now, event);
      show();
      if (event.type === "started") takeConversation(event);
      if (event.type === "approval") announce("A tool waits for your approval.");
    }
    followed.set(now.messageId, now);
    announce(endOf(now));
  } catch (thrown) {
    const fault = faultOf(thrown, signal);
    if (!fault) return;
    now = { ...now, phase: "cut-off", fault };
    show();
  }
  void listConversations();
}

/** A new conversation has its id from its first turn on; the address then says it, so that a reload comes back. */
function takeConversation({ conversationId, agentId }: StartedEvent): void {
  if (chat.peek().conversationId !== "") return;
  chat.value = { ...chat.peek(), conversationId, agentId };
  if (route.peek().view === "chat") navigate({ conversation: conversationId, agent: "" }, "replace");
  void listConversations();
}

function endOf({ end, citations }: Turn): string {
  if (end?.reason === "no_support") return "The documents do not say.";
  if (end?.reason === "failed") return end.error?.message ?? "The turn failed.";
  const said = citations.length > 0 ? `, with ${counted(citations.length, "citation")}` : "";
  return (end && endNotes[end.reason]) || `The answer is there${said}.`;
}
