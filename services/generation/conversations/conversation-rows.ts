import type { Conversation } from "@headwater/proto/services/headwater/v1/conversation";
import { Message } from "@headwater/proto/services/headwater/v1/conversation";
import type { Queries } from "@headwater/record-store";
import { clampToGraphemes } from "@headwater/text";

export const conversationColumns =
  "id, title, agent_id, created_at, updated_at, message_count, forked_from, summary, summarized";

export interface ConversationRow {
  readonly id: string;
  readonly title: string;
  readonly agent_id: string;
  readonly created_at: number;
  readonly updated_at: number;
  readonly message_count: number;
  readonly forked_from: string;
  readonly summary: string;
  readonly summarized: number;
}

export const messageColumns = "place, id, turn_id, role, text, created_at, details";

export interface MessageRow {
  readonly place: number;
  readonly id: string;
  readonly turn_id: string;
  readonly role: number;
  readonly text: string;
  readonly created_at: number;
  readonly details: Uint8Array;
}

/** Code units of a title that is made from a message. */
const madeTitleLength = 80;

export function toConversation(row: ConversationRow): Conversation {
  return {
    id: row.id,
    title: row.title,
    agentId: row.agent_id,
    createdTime: new Date(row.created_at),
    updatedTime: new Date(row.updated_at),
    messageCount: row.message_count,
    forkedFrom: row.forked_from,
  };
}

export function toMessage(row: MessageRow): Message {
  return {
    ...Message.decode(row.details),
    id: row.id,
    role: row.role as Message["role"],
    text: row.text,
    createdTime: new Date(row.created_at),
    turnId: row.turn_id,
  };
}

/**
 * Adds a message at the end of a conversation, and gives a conversation without a title the beginning of it.
 *
 * @returns the message's place; undefined where the conversation is gone
 */
export async function appendMessage(
  queries: Queries,
  conversationId: string,
  message: Message,
): Promise<number | undefined> {
  const { id, turnId, role, citations, steps, end } = message;
  const createdAt = message.createdTime?.getTime() ?? Date.now();
  // PostgreSQL has no NUL; a mark of the same length keeps the citations' offsets right.
  const text = message.text.replaceAll("\0", "\ufffd").toWellFormed();
  const [row] = await queries.query<{ message_count: number }>(
    `UPDATE conversations SET message_count = message_count + 1, updated_at = greatest(updated_at, $2),
       title = CASE WHEN title = '' THEN $3 ELSE title END
     WHERE id = $1 RETURNING message_count`,
    [conversationId, createdAt, titleOf(text)],
  );
  if (!row) return undefined;
  const details = Message.encode(Message.fromPartial({ citations, steps, ...(end ? { end } : {}) })).finish();
  await queries.query(
    `INSERT INTO messages (conversation_id, place, id, turn_id, role, text, created_at, details)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [conversationId, row.message_count, id, turnId, role, text, createdAt, details],
  );
  return row.message_count;
}

function titleOf(message: string): string {
  const line = message.trim().replace(/\s+/g, " ");
  const { end } = clampToGraphemes(line, 0, madeTitleLength);
  return line.slice(0, end).trimEnd();
}
