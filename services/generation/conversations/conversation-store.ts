import { randomUUID } from "node:crypto";
import { HeadwaterError, status } from "@headwater/errors";
import type { Conversation, Message } from "@headwater/proto/services/headwater/v1/conversation";
import type { Queries, RecordStore } from "@headwater/record-store";
import type { TimePlace } from "@headwater/rpc";
import type { HistorySummary, KeptHistory } from "../turns/history.ts";
import type { Owner } from "../turns/turn.ts";
import type { ConversationRow, MessageRow } from "./conversation-rows.ts";
import { conversationColumns, messageColumns, toConversation, toMessage } from "./conversation-rows.ts";

export interface NewConversation {
  readonly id: string;
  readonly title: string;
  readonly agentId: string;
}

/** Messages that one statement reads of an export. */
const exportPage = 200;
/** Messages that are read to find those that have room before a turn. */
const historyLength = 1000;

/** Conversations and their messages. Every question names tenant and owner: nobody sees those of others. */
export class ConversationStore {
  readonly #records: RecordStore;

  constructor(records: RecordStore) {
    this.#records = records;
  }

  async create(owner: Owner, created: NewConversation): Promise<Conversation> {
    return await insertConversation(this.#records, owner, created, Date.now());
  }

  /** Last used first. */
  async list({ tenant, owner }: Owner, limit: number, after: TimePlace | undefined): Promise<Conversation[]> {
    const rows = await this.#records.query<ConversationRow>(
      `SELECT ${conversationColumns} FROM conversations
       WHERE tenant = $1 AND owner = $2 AND ($3::bigint IS NULL OR (updated_at, id) < ($3::bigint, $4::uuid))
       ORDER BY updated_at DESC, id DESC LIMIT $5`,
      [tenant, owner, after?.time.getTime() ?? null, after?.id ?? null, limit],
    );
    return rows.map(toConversation);
  }

  /** @throws HeadwaterError NOT_FOUND, HW_CONVERSATION_UNKNOWN */
  async get(owner: Owner, id: string): Promise<Conversation> {
    return toConversation(await findConversation(this.#records, owner, id));
  }

  /**
   * Oldest first; of a conversation that `get` gave.
   *
   * @param after place of the last message that was read; 0: from the start
   */
  async messages(id: string, limit: number, after: number): Promise<{ message: Message; place: number }[]> {
    const rows = await this.#records.query<MessageRow>(
      `SELECT ${messageColumns} FROM messages WHERE conversation_id = $1 AND place > $2 ORDER BY place LIMIT $3`,
      [id, after, limit],
    );
    return rows.map((row) => ({ message: toMessage(row), place: row.place }));
  }

  /** @returns the turn that is not ended yet */
  async activeTurn({ tenant, owner }: Owner, id: string): Promise<string | undefined> {
    const [row] = await this.#records.query<{ id: string }>(
      `SELECT id FROM turns
       WHERE conversation_id = $1 AND tenant = $2 AND owner = $3 AND ended_at IS NULL`,
      [id, tenant, owner],
    );
    return row?.id;
  }

  /** What came before a message; the newest where there is very much. */
  async history(id: string, beforePlace: number): Promise<KeptHistory> {
    const [conversation] = await this.#records.query<Pick<ConversationRow, "summary" | "summarized">>(
      "SELECT summary, summarized FROM conversations WHERE id = $1",
      [id],
    );
    if (!conversation) throw unknownConversation();
    const { summary, summarized } = conversation;
    const rows = await this.#records.query<Pick<MessageRow, "place" | "role" | "text" | "turn_id">>(
      `SELECT place, role, text, turn_id FROM messages
       WHERE conversation_id = $1 AND place > $2 AND place < $3 ORDER BY place DESC LIMIT $4`,
      [id, summarized, beforePlace, historyLength],
    );
    const messages = rows.toReversed().map(({ turn_id: turnId, role, ...message }) => {
      return { ...message, role: role as Message["role"], turnId };
    });
    return { summary: { text: summary, through: summarized }, messages };
  }

  /** Kept so that it is made once. */
  async keepSummary(id: string, { text, through }: HistorySummary): Promise<void> {
    await this.#records.query(
      "UPDATE conversations SET summary = $2, summarized = $3 WHERE id = $1 AND summarized < $3",
      [id, text.replaceAll("\0", "\ufffd").toWellFormed(), through],
    );
  }

  async rename({ tenant, owner }: Owner, id: string, title: string): Promise<Conversation> {
    const [row] = await this.#records.query<ConversationRow>(
      `UPDATE conversations SET title = $4, updated_at = greatest(updated_at, $5)
       WHERE id = $1 AND tenant = $2 AND owner = $3 RETURNING ${conversationColumns}`,
      [id, tenant, owner, title, Date.now()],
    );
    if (!row) throw unknownConversation();
    return toConversation(row);
  }

  /**
   * @param messageId last message to copy; empty: all
   * @param title empty: as the other
   * @throws HeadwaterError NOT_FOUND
   */
  async fork(owner: Owner, id: string, messageId: string, title: string): Promise<Conversation> {
    return await this.#records.transaction(async (queries) => {
      const origin = await findConversation(queries, owner, id, "FOR SHARE");
      const last = messageId === "" ? origin.message_count : await placeOf(queries, id, messageId);
      const copy = randomUUID();
      const now = Date.now();
      await insertConversation(
        queries,
        owner,
        { id: copy, title: title === "" ? origin.title : title, agentId: origin.agent_id },
        now,
      );
      await queries.query(
        `INSERT INTO messages (conversation_id, place, id, turn_id, role, text, created_at, details)
         SELECT $1, place, gen_random_uuid(), turn_id, role, text, created_at, details
         FROM messages WHERE conversation_id = $2 AND place <= $3`,
        [copy, id, last],
      );
      // A summary that reaches beyond the last message would tell of what the copy does not have.
      const { summary, summarized } = origin.summarized <= last ? origin : { summary: "", summarized: 0 };
      const [row] = await queries.query<ConversationRow>(
        `UPDATE conversations SET message_count = $2, forked_from = $3, summary = $4, summarized = $5
         WHERE id = $1 RETURNING ${conversationColumns}`,
        [copy, last, id, summary, summarized],
      );
      if (!row) throw unknownConversation();
      return toConversation(row);
    });
  }

  /** Deletes all that hangs on it. */
  async delete({ tenant, owner }: Owner, id: string): Promise<void> {
    await this.#records.query("DELETE FROM conversations WHERE id = $1 AND tenant = $2 AND owner = $3", [
      id,
      tenant,
      owner,
    ]);
  }

  async *export(id: string): AsyncGenerator<Message> {
    let after = 0;
    while (true) {
      const page = await this.messages(id, exportPage, after);
      for (const { message, place } of page) {
        yield message;
        after = place;
      }
      if (page.length < exportPage) return;
    }
  }
}

/** @throws HeadwaterError NOT_FOUND, HW_CONVERSATION_UNKNOWN */
export async function findConversation(
  queries: Queries,
  { tenant, owner }: Owner,
  id: string,
  lock: "" | "FOR SHARE" | "FOR UPDATE" = "",
): Promise<ConversationRow> {
  const [row] = await queries.query<ConversationRow>(
    `SELECT ${conversationColumns} FROM conversations WHERE id = $1 AND tenant = $2 AND owner = $3 ${lock}`,
    [id, tenant, owner],
  );
  if (!row) throw unknownConversation();
  return row;
}

export async function insertConversation(
  queries: Queries,
  { tenant, owner }: Owner,
  { id, title, agentId }: NewConversation,
  now: number,
): Promise<Conversation> {
  const rows = await queries.query<ConversationRow>(
    `INSERT INTO conversations (id, tenant, owner, title, agent_id, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING ${conversationColumns}`,
    [id, tenant, owner, title, agentId, now],
  );
  return rows.map(toConversation)[0] as Conversation;
}

async function placeOf(queries: Queries, conversationId: string, messageId: string): Promise<number> {
  const [row] = await queries.query<{ place: number }>(
    "SELECT place FROM messages WHERE conversation_id = $1 AND id = $2",
    [conversationId, messageId],
  );
  if (row) return row.place;
  throw new HeadwaterError({
    code: status.NOT_FOUND,
    reason: "HW_MESSAGE_UNKNOWN",
    message: "The conversation has no message of that id.",
  });
}

export function unknownConversation(): HeadwaterError {
  return new HeadwaterError({
    code: status.NOT_FOUND,
    reason: "HW_CONVERSATION_UNKNOWN",
    message: "There is no conversation of that id.",
    action: "List the conversations, or send a message without an id to begin one.",
  });
}
