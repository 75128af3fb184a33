import type { Tables } from "../migrations.ts";

/**
 * `memory_owners.revision` changes with each write to an owner's memories, and never comes again: a decision that was
 * made on what is no longer so is made anew. `memories` is the only place that holds what is remembered: what is
 * deleted there is forgotten.
 */
export const memoryTables: Tables = {
  name: "memories",
  sql: `
    CREATE SEQUENCE memory_revisions;
    CREATE TABLE memory_owners (
      tenant text COLLATE "C" NOT NULL,
      owner text COLLATE "C" NOT NULL,
      revision bigint NOT NULL DEFAULT nextval('memory_revisions'),
      PRIMARY KEY (tenant, owner)
    );
    CREATE TABLE memories (
      id uuid PRIMARY KEY,
      tenant text COLLATE "C" NOT NULL,
      owner text COLLATE "C" NOT NULL,
      text text NOT NULL,
      vector bytea NOT NULL,
      fingerprint text NOT NULL,
      surprise double precision NOT NULL,
      strength double precision NOT NULL,
      strengthened_at timestamptz NOT NULL,
      recall_count integer NOT NULL DEFAULT 0,
      conversation_id text NOT NULL,
      created_at timestamptz NOT NULL,
      updated_at timestamptz NOT NULL,
      -- Surprise of what was last told of it; the newest of an owner carries the momentum.
      last_surprise double precision NOT NULL
    );
    CREATE INDEX memories_by_owner ON memories (tenant, owner, created_at DESC, id DESC);
  `,
};
