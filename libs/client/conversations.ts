import type { Client } from "@connectrpc/connect";
import type {
  Conversation as ConversationMessage,
  ConversationService,
  Message as MessageMessage,
} from "@headwater/proto/connect/headwater/v1/conversation";
import { MessageRole as RoleNumber } from "@headwater/proto/connect/headwater/v1/conversation";
import type { CitationEvent } from "./answer.ts";
import { toCitation } from "./answer.ts";
import type { CallOptions, Identity, ListPageOptions } from "./call.ts";
import { connectOptions, pageOf, unary } from "./call.ts";
import type { ToolCall, ToolResult, TurnEnd } from "./chat-event.ts";
import { toToolCall, toToolResult, toTurnEnd } from "./chat-event.ts";
import { toDate } from "./document.ts";

export interface Conversation {
  readonly id: string;
  readonly title: string;
  /** The agent that answers; empty: plain answers from the documents. */
  readonly agentId: string;
  readonly createdTime: Date | undefined;
  /** When something last happened in it. */
  readonly updatedTime: Date | undefined;
  readonly messageCount: number;
  /** The conversation that it was forked from; empty: none. */
  readonly forkedFrom: string;
}

export const messageRoles = ["user", "assistant"] as const;
export type MessageRole = (typeof messageRoles)[number];

/** A tool call and what came of it. */
export interface ToolStep {
  readonly call: ToolCall;
  /** Undefined where the turn ended before. */
  readonly result: ToolResult | undefined;
}

/** A message; citations, steps and end are the assistant's. */
export interface Message {
  readonly id: string;
  readonly role: MessageRole;
  /** With its citation markers. */
  readonly text: string;
  readonly createdTime: Date | undefined;
  readonly citations: readonly CitationEvent[];
  readonly steps: readonly ToolStep[];
  readonly end: TurnEnd | undefined;
  readonly turnId: string;
}

export interface CreateConversationOptions extends CallOptions {
  /** At most 256 code units. Default: made from the first message. */
  title?: string;
  /** Agent that answers. Default: plain answers. */
  agentId?: string;
}

export interface ForkOptions extends CallOptions {
  /** Last message to copy. Default: all. */
  messageId?: string;
  /** Default: as the other. */
  title?: string;
}

/** A page of messages. */
export interface MessagePage {
  /** Oldest first. */
  readonly messages: Message[];
  readonly nextPageToken: string;
  /** A turn that is not ended yet, which `turns.resume` can follow; empty: none. */
  readonly activeTurnId: string;
}

/** The conversations of one owner. */
export interface Conversations {
  create(options?: CreateConversationOptions): Promise<Conversation>;
  /** Last used first. */
  list(options?: ListPageOptions): Promise<{ conversations: Conversation[]; nextPageToken: string }>;
  get(id: string, options?: CallOptions): Promise<Conversation>;
  messages(id: string, options?: ListPageOptions): Promise<MessagePage>;
  rename(id: string, title: string, options?: CallOptions): Promise<Conversation>;
  /** Copies a conversation up to a message into a new one. */
  fork(id: string, options?: ForkOptions): Promise<Conversation>;
  /** With all messages and turns; twice is harmless. */
  delete(id: string, options?: CallOptions): Promise<void>;
  /** A conversation whole, messages oldest first. */
  export(id: string, options?: CallOptions): Promise<{ conversation: Conversation; messages: Message[] }>;
}

export function createConversations(
  service: Client<typeof ConversationService>,
  identity: Identity,
): Conversations {
  return {
    async create(options = {}) {
      const request = {
        ...identity.of(options),
        title: options.title ?? "",
        agentId: options.agentId ?? "",
      };
      const { conversation } = await unary(service.createConversation(request, connectOptions(options)));
      return toConversation(conversation);
    },
    async list(options = {}) {
      const request = { ...identity.of(options), ...pageOf(options) };
      const { conversations, nextPageToken } = await unary(
        service.listConversations(request, connectOptions(options)),
      );
      return { conversations: conversations.map(toConversation), nextPageToken };
    },
    async get(id, options = {}) {
      const request = { ...identity.of(options), id };
      const { conversation } = await unary(service.getConversation(request, connectOptions(options)));
      return toConversation(conversation);
    },
    async messages(id, options = {}) {
      const request = { ...identity.of(options), ...pageOf(options), conversationId: id };
      const { messages, nextPageToken, activeTurnId } = await unary(
        service.listMessages(request, connectOptions(options)),
      );
      return { messages: messages.map(toMessage), nextPageToken, activeTurnId };
    },
    async rename(id, title, options = {}) {
      const request = { ...identity.of(options), id, title };
      const { conversation } = await unary(service.renameConversation(request, connectOptions(options)));
      return toConversation(conversation);
    },
    async fork(id, options = {}) {
      const { messageId = "", title = "" } = options;
      const request = { ...identity.of(options), id, messageId, title };
      const { conversation } = await unary(service.forkConversation(request, connectOptions(options)));
      return toConversation(conversation);
    },
    async delete(id, options = {}) {
      await unary(service.deleteConversation({ ...identity.of(options), id }, connectOptions(options)));
    },
    async export(id, options = {}) {
      const request = { ...identity.of(options), id };
      const { conversation, messages } = await unary(
        service.exportConversation(request, connectOptions(options)),
      );
      return { conversation: toConversation(conversation), messages: messages.map(toMessage) };
    },
  };
}

export function fromRole(role: MessageRole): RoleNumber {
  return role === "user" ? RoleNumber.USER : RoleNumber.ASSISTANT;
}

function toConversation(message: ConversationMessage | undefined): Conversation {
  return {
    id: message?.id ?? "",
    title: message?.title ?? "",
    agentId: message?.agentId ?? "",
    createdTime: toDate(message?.createdTime),
    updatedTime: toDate(message?.updatedTime),
    messageCount: message?.messageCount ?? 0,
    forkedFrom: message?.forkedFrom ?? "",
  };
}

function toMessage(message: MessageMessage): Message {
  const { id, text, turnId } = message;
  return {
    ...{ id, text, turnId },
    role: message.role === RoleNumber.USER ? "user" : "assistant",
    createdTime: toDate(message.createdTime),
    citations: message.citations.map(toCitation),
    steps: message.steps.flatMap(({ call, result }) =>
      call ? [{ call: toToolCall(call), result: result && toToolResult(result) }] : [],
    ),
    end: message.end && toTurnEnd(message.end),
  };
}
