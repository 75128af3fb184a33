import type { Conversation, Message } from "@headwater/client";
import { messageRoles } from "@headwater/client";
import { z } from "zod";
import { citationJson, citationSchema } from "./answer.ts";
import {
  toolCallJson,
  toolCallSchema,
  toolResultJson,
  toolResultSchema,
  turnEndJson,
  turnEndSchema,
} from "./chat.ts";
import { nextPageTokenSchema, timeSchema } from "./page.ts";
import { named } from "./registry.ts";

const title = z.string().max(256);
const id = z.string().min(1).max(128);

export const newConversationSchema = named(
  "NewConversation",
  z.strictObject({
    title: title.optional().describe("Default: made from the first message"),
    agent_id: id.optional().describe("Agent that answers. Default: plain answers from the documents"),
  }),
);

export const renameRequestSchema = named("RenameConversation", z.strictObject({ title: title.min(1) }));

export const forkRequestSchema = named(
  "ForkConversation",
  z.strictObject({
    message_id: id.optional().describe("Last message to copy. Default: all"),
    title: title.optional().describe("Default: as the other"),
  }),
);

export const conversationSchema = named(
  "Conversation",
  z.object({
    id: z.string(),
    title: z.string(),
    agent_id: z.string().describe("The agent that answers; empty: plain answers"),
    created_time: timeSchema.optional(),
    updated_time: timeSchema.optional().describe("When something last happened in it"),
    message_count: z.number(),
    forked_from: z.string().describe("The conversation that it was forked from; empty: none"),
  }),
);

export const conversationListSchema = named(
  "ConversationList",
  z.object({
    conversations: z.array(conversationSchema).describe("Last used first"),
    next_page_token: nextPageTokenSchema,
  }),
);

export const messageSchema = named(
  "Message",
  z.object({
    id: z.string(),
    role: z.enum(messageRoles),
    text: z.string().describe("With its citation markers"),
    created_time: timeSchema.optional(),
    citations: z.array(citationSchema),
    tool_steps: z.array(z.object({ call: toolCallSchema, result: toolResultSchema.optional() })),
    end: turnEndSchema.optional().describe("Of the assistant: how the turn ended"),
    turn_id: z.string(),
  }),
);

export const messageListSchema = named(
  "MessageList",
  z.object({
    messages: z.array(messageSchema).describe("Oldest first"),
    next_page_token: nextPageTokenSchema,
    active_turn_id: z.string().describe("A turn that is not ended yet and can be resumed; empty: none"),
  }),
);

export const exportedConversationSchema = named(
  "ExportedConversation",
  z.object({ conversation: conversationSchema, messages: z.array(messageSchema).describe("Oldest first") }),
);

export function conversationJson(conversation: Conversation): z.output<typeof conversationSchema> {
  return {
    id: conversation.id,
    title: conversation.title,
    agent_id: conversation.agentId,
    created_time: conversation.createdTime?.toISOString(),
    updated_time: conversation.updatedTime?.toISOString(),
    message_count: conversation.messageCount,
    forked_from: conversation.forkedFrom,
  };
}

export function messageJson(message: Message): z.output<typeof messageSchema> {
  return {
    id: message.id,
    role: message.role,
    text: message.text,
    created_time: message.createdTime?.toISOString(),
    citations: message.citations.map(citationJson),
    tool_steps: message.steps.map(({ call, result }) => ({
      call: toolCallJson(call),
      result: result && toolResultJson(result),
    })),
    end: message.end && turnEndJson(message.end),
    turn_id: message.turnId,
  };
}
