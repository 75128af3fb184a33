import type { Message } from "@headwater/proto/services/headwater/v1/conversation";
import { ChatResponse, TurnEnd, TurnEndReason } from "@headwater/proto/services/headwater/v1/conversation";
import type { Queries, RecordStore } from "@headwater/record-store";
import { bulkhead } from "cockatiel";
import { appendMessage } from "../conversations/conversation-rows.ts";
import type { NewConversation } from "../conversations/conversation-store.ts";
import { findConversation, insertConversation } from "../conversations/conversation-store.ts";
import type { Owner } from "./turn.ts";
import { toTurnError, turnLost } from "./turn-errors.ts";
import { TurnMessage } from "./turn-message.ts";
import { processLives } from "./turn-process.ts";
import type { TurnRow } from "./turn-rows.ts";
import { packEvents, turnColumns, unpackEvents } from "./turn-rows.ts";

export interface NewTurn extends Owner {
  readonly id: string;
  /** Of the answer's message. */
  readonly messageId: string;
  readonly conversationId: string;
  /** Set: the conversation is made with the turn. */
  readonly conversation: NewConversation | undefined;
  readonly message: Message;
  /** Empty: none. */
  readonly idempotencyKey: string;
}

/** How a turn began, or which other stands in its place. */
export type Begun =
  | {
      readonly kind: "begun";
      /** Place of the person's message. */
      readonly place: number;
    }
  | { readonly kind: "repeated" | "active"; readonly turnId: string };

/** Events of one turn in a row, to be kept. */
export interface EventBatch {
  readonly turnId: string;
  readonly first: number;
  readonly last: number;
  readonly events: readonly Uint8Array[];
}

/** Rows of events that one statement reads; the journal keeps a row to about 64 KiB. */
const rowsAtOnce = 8;

/** Of events that were written before, by a statement whose answer was lost on the way: perhaps more have come since. */
const again =
  "ON CONFLICT (turn_id, first_sequence) DO UPDATE SET last_sequence = excluded.last_sequence, events = excluded.events";

/**
 * Transactions that begin or end turns at once; many turns that begin together wait for one another here, and not for
 * the connections of the record store, which others need too.
 */
const transactionsAtOnce = 4;

/** No process. */
const nobody = "00000000-0000-0000-0000-000000000000";

/** Turns, their events and the processes that run them. */
export class TurnStore {
  readonly #records: RecordStore;
  /** Of this process. */
  readonly #process: string;
  readonly #transactions = bulkhead(transactionsAtOnce, Number.POSITIVE_INFINITY);

  constructor(records: RecordStore, process: string) {
    this.#records = records;
    this.#process = process;
  }

  /** Keeps the message and takes the conversation for this turn. */
  async begin(turn: NewTurn): Promise<Begun> {
    return await this.#transaction(async (queries) => {
      const now = Date.now();
      const { conversation } = turn;
      if (conversation) await insertConversation(queries, turn, conversation, now);
      else await findConversation(queries, turn, turn.conversationId, "FOR UPDATE");
      const inserted = await queries.query(
        `INSERT INTO turns (id, tenant, owner, conversation_id, message_id, process, idempotency_key, started_at)
         VALUES ($1, $2, $3, $4, $5, $6, nullif($7, ''), $8) ON CONFLICT DO NOTHING RETURNING id`,
        [
          ...[turn.id, turn.tenant, turn.owner, turn.conversationId, turn.messageId, this.#process],
          ...[turn.idempotencyKey, now],
        ],
      );
      if (inserted.length === 0) {
        if (conversation) await queries.query("DELETE FROM conversations WHERE id = $1", [conversation.id]);
        return await otherTurn(queries, turn);
      }
      const place = await appendMessage(queries, turn.conversationId, turn.message);
      return { kind: "begun", place: place ?? 1 };
    });
  }

  /** @returns the turn that was begun with that key */
  async findByKey({ tenant, owner }: Owner, key: string): Promise<string | undefined> {
    return await findByKey(this.#records, { tenant, owner }, key);
  }

  async find({ tenant, owner }: Owner, id: string): Promise<TurnRow | undefined> {
    const [row] = await this.#records.query<TurnRow>(
      `SELECT ${turnColumns} FROM turns WHERE id = $1 AND tenant = $2 AND owner = $3`,
      [id, tenant, owner],
    );
    return row;
  }

  /** Some of the events after a sequence, in order; none: there are no more as yet. */
  async events(turnId: string, after: number): Promise<ChatResponse[]> {
    return await readEvents(this.#records, turnId, after, rowsAtOnce);
  }

  /** The last row of events of a turn. */
  async lastEvents(turnId: string): Promise<ChatResponse[]> {
    const [row] = await this.#records.query<{ events: Uint8Array }>(
      "SELECT events FROM turn_events WHERE turn_id = $1 ORDER BY first_sequence DESC LIMIT 1",
      [turnId],
    );
    return row ? unpackEvents(row.events) : [];
  }

  /** @returns false where the owner has no such turn */
  async cancel({ tenant, owner }: Owner, id: string): Promise<boolean> {
    const rows = await this.#records.query(
      "UPDATE turns SET cancelled = true WHERE id = $1 AND tenant = $2 AND owner = $3 RETURNING id",
      [id, tenant, owner],
    );
    return rows.length > 0;
  }

  /** Turns of this process that another process was asked to cancel. */
  async cancelledTurns(): Promise<string[]> {
    const rows = await this.#records.query<{ id: string }>(
      "SELECT id FROM turns WHERE process = $1 AND ended_at IS NULL AND cancelled",
      [this.#process],
    );
    return rows.map(({ id }) => id);
  }

  /** Throws away the events of turns that ended long ago; their messages stay. @returns how many turns */
  async forgetEnded(retentionMs: number, limit: number): Promise<number> {
    const now = Date.now();
    await this.#records.query("DELETE FROM tool_approvals WHERE deadline < $1", [now - retentionMs]);
    const rows = await this.#records.query(
      `DELETE FROM turns WHERE id IN (SELECT id FROM turns WHERE ended_at < $1 LIMIT $2) RETURNING id`,
      [now - retentionMs, limit],
    );
    return rows.length;
  }

  /**
   * Keeps events of turns of this process. Writing the same again, or more from the same start, is harmless.
   *
   * @returns the turns that are still this process's
   */
  async write(batches: readonly EventBatch[]): Promise<Set<string>> {
    const rows = await this.#records.query<{ id: string }>(
      `WITH batch AS (
         SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[]) AS b (turn_id, first, last, events)
       ), held AS (
         SELECT id FROM turns WHERE id = ANY($1::uuid[]) AND process = $5 AND ended_at IS NULL
         ORDER BY id FOR UPDATE
       ), written AS (
         INSERT INTO turn_events (turn_id, first_sequence, last_sequence, events)
         SELECT turn_id, first, last, decode(events, 'base64') FROM batch JOIN held ON held.id = batch.turn_id
         ${again}
       )
       SELECT id FROM held`,
      [
        batches.map(({ turnId }) => turnId),
        batches.map(({ first }) => first),
        batches.map(({ last }) => last),
        batches.map(({ events }) => Buffer.from(packEvents(events)).toString("base64")),
        this.#process,
      ],
    );
    return new Set(rows.map(({ id }) => id));
  }

  /**
   * Ends a turn of this process with its last events, and keeps the answer's message.
   *
   * @returns false where the turn was taken for lost, or is deleted
   */
  async end(turnId: string, rest: EventBatch | undefined, message: Message): Promise<boolean> {
    return await this.#transaction(async (queries) => {
      const [row] = await queries.query<TurnRow>(
        `UPDATE turns SET ended_at = $3 WHERE id = $1 AND process = $2 AND ended_at IS NULL RETURNING ${turnColumns}`,
        [turnId, this.#process, Date.now()],
      );
      if (!row) {
        // A commit whose answer was lost on the way: it is asked for again.
        const [done] = await queries.query<TurnRow>(
          `SELECT ${turnColumns} FROM turns WHERE id = $1 AND process = $2 AND NOT lost`,
          [turnId, this.#process],
        );
        return done !== undefined;
      }
      if (rest) await insertEvents(queries, rest);
      await appendMessage(queries, row.conversation_id, message);
      await queries.query("DELETE FROM tool_approvals WHERE turn_id = $1", [turnId]);
      return true;
    });
  }

  /** The turn is nobody's from now on. */
  async giveUp(turnId: string): Promise<void> {
    await this.#records.query("UPDATE turns SET process = $2 WHERE id = $1 AND process = $3", [
      turnId,
      nobody,
      this.#process,
    ]);
  }

  /**
   * Ends a turn whose process has died.
   *
   * @returns false where its process lives, or somebody else has ended it
   */
  async endLost(turnId: string): Promise<boolean> {
    return await this.#records.transaction(async (queries) => {
      const [row] = await queries.query<TurnRow>(
        `UPDATE turns SET ended_at = $2, lost = true
         WHERE id = $1 AND ended_at IS NULL AND NOT ${processLives} RETURNING ${turnColumns}`,
        [turnId, Date.now()],
      );
      if (!row) return false;
      const answer = new TurnMessage();
      let last = 0;
      while (true) {
        const events = await readEvents(queries, turnId, last, rowsAtOnce);
        for (const event of events) answer.add(event);
        const newest = events.at(-1);
        if (!newest) break;
        last = newest.sequence;
      }
      const end = TurnEnd.fromPartial({ reason: TurnEndReason.FAILED, error: toTurnError(turnLost()) });
      const event = ChatResponse.fromPartial({ sequence: last + 1, event: { $case: "end", value: end } });
      await insertEvents(queries, {
        ...{ turnId, first: event.sequence, last: event.sequence },
        events: [ChatResponse.encode(event).finish()],
      });
      await appendMessage(queries, row.conversation_id, answer.finish({ id: row.message_id, turnId }, end));
      await queries.query("DELETE FROM tool_approvals WHERE turn_id = $1", [turnId]);
      return true;
    });
  }

  async #transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T> {
    return await this.#transactions.execute(() => this.#records.transaction(work));
  }
}

async function readEvents(
  queries: Queries,
  turnId: string,
  after: number,
  limit: number,
): Promise<ChatResponse[]> {
  const rows = await queries.query<{ events: Uint8Array }>(
    `SELECT events FROM turn_events WHERE turn_id = $1 AND last_sequence > $2 ORDER BY first_sequence LIMIT $3`,
    [turnId, after, limit],
  );
  return rows.flatMap(({ events }) => unpackEvents(events)).filter(({ sequence }) => sequence > after);
}

async function insertEvents(queries: Queries, { turnId, first, last, events }: EventBatch): Promise<void> {
  await queries.query(
    `INSERT INTO turn_events (turn_id, first_sequence, last_sequence, events) VALUES ($1, $2, $3, $4) ${again}`,
    [turnId, first, last, packEvents(events)],
  );
}

async function findByKey(
  queries: Queries,
  { tenant, owner }: Owner,
  key: string,
): Promise<string | undefined> {
  const [row] = await queries.query<{ id: string }>(
    "SELECT id FROM turns WHERE tenant = $1 AND owner = $2 AND idempotency_key = $3",
    [tenant, owner, key],
  );
  return row?.id;
}

/** Why a turn could not be begun. */
async function otherTurn(queries: Queries, turn: NewTurn): Promise<Begun> {
  const repeated =
    turn.idempotencyKey === "" ? undefined : await findByKey(queries, turn, turn.idempotencyKey);
  if (repeated !== undefined) return { kind: "repeated", turnId: repeated };
  const [active] = await queries.query<{ id: string }>(
    "SELECT id FROM turns WHERE conversation_id = $1 AND ended_at IS NULL",
    [turn.conversationId],
  );
  // It ended between the two statements: whoever asks tries again, and finds the conversation free.
  return { kind: "active", turnId: active?.id ?? "" };
}
