import type { Tables } from "../migrations.ts";

/**
 * Times are unix milliseconds. `details` is a Message of proto/headwater/v1/conversation.proto with only its citations,
 * steps and end. `summary` stands for the first `summarized` messages.
 *
 * A turn belongs to the process that runs it; it is lost where that process no longer renews its lease. The index
 * `turns_active` is what keeps a conversation to one turn at a time. A row of `turn_events` holds several events.
 *
 * `tool_approvals` also has the calls of stateless turns, which have no row in `turns`.
 */
export const conversationTables: Tables = {
  name: "conversations",
  sql: `
    CREATE TABLE conversations (
      id uuid PRIMARY KEY,
      tenant text COLLATE "C" NOT NULL,
      owner text COLLATE "C" NOT NULL,
      title text NOT NULL,
      agent_id text NOT NULL,
      created_at bigint NOT NULL,
      updated_at bigint NOT NULL,
      message_count integer NOT NULL DEFAULT 0,
      forked_from text NOT NULL DEFAULT '',
      summary text NOT NULL DEFAULT '',
      summarized integer NOT NULL DEFAULT 0
    );
    CREATE INDEX conversations_by_use ON conversations (tenant, owner, updated_at DESC, id DESC);
    CREATE TABLE messages (
      conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
      place integer NOT NULL,
      id uuid NOT NULL UNIQUE,
      turn_id uuid NOT NULL,
      role smallint NOT NULL,
      text text NOT NULL,
      created_at bigint NOT NULL,
      details bytea NOT NULL,
      PRIMARY KEY (conversation_id, place)
    );
    CREATE TABLE turn_processes (
      id uuid PRIMARY KEY,
      leased_until timestamptz NOT NULL
    );
    CREATE TABLE turns (
      id uuid PRIMARY KEY,
      tenant text COLLATE "C" NOT NULL,
      owner text COLLATE "C" NOT NULL,
      conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
      message_id uuid NOT NULL,
      process uuid NOT NULL,
      idempotency_key text COLLATE "C",
      started_at bigint NOT NULL,
      ended_at bigint,
      lost boolean NOT NULL DEFAULT false,
      cancelled boolean NOT NULL DEFAULT false
    );
    CREATE UNIQUE INDEX turns_active ON turns (conversation_id) WHERE ended_at IS NULL;
    CREATE UNIQUE INDEX turns_by_key ON turns (tenant, owner, idempotency_key);
    CREATE INDEX turns_of_conversation ON turns (conversation_id);
    CREATE INDEX turns_ended ON turns (ended_at);
    CREATE TABLE turn_events (
      turn_id uuid NOT NULL REFERENCES turns ON DELETE CASCADE,
      first_sequence bigint NOT NULL,
      last_sequence bigint NOT NULL,
      events bytea NOT NULL,
      PRIMARY KEY (turn_id, first_sequence)
    );
    CREATE TABLE tool_approvals (
      turn_id uuid NOT NULL,
      call_id text COLLATE "C" NOT NULL,
      tenant text COLLATE "C" NOT NULL,
      owner text COLLATE "C" NOT NULL,
      deadline bigint NOT NULL,
      approved boolean,
      PRIMARY KEY (turn_id, call_id)
    );
  `,
};
