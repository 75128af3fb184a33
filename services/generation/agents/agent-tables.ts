import type { Tables } from "../migrations.ts";

export const agentTables: Tables = {
  name: "agents",
  sql: `
    CREATE TABLE agents (
      tenant text NOT NULL,
      id uuid NOT NULL,
      name text COLLATE "C" NOT NULL,
      definition jsonb NOT NULL,
      version integer NOT NULL DEFAULT 1,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (tenant, id),
      CONSTRAINT agents_by_name UNIQUE (tenant, name)
    );`,
};
