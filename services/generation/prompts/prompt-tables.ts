import type { Tables } from "../migrations.ts";

/**
 * `prompts` counts versions, and keeps counting when a prompt is deleted and made again: answers that were recorded with a
 * version never mean another text. A label's history is its revisions; the newest that was not undone holds.
 */
export const promptTables: Tables = {
  name: "prompts",
  sql: `
    CREATE TABLE prompts (
      tenant text NOT NULL,
      name text NOT NULL,
      latest_version integer NOT NULL,
      deleted boolean NOT NULL DEFAULT false,
      PRIMARY KEY (tenant, name)
    );
    CREATE TABLE prompt_versions (
      tenant text NOT NULL,
      name text NOT NULL,
      version integer NOT NULL,
      text text NOT NULL,
      note text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (tenant, name, version),
      FOREIGN KEY (tenant, name) REFERENCES prompts
    );
    CREATE TABLE prompt_labels (
      tenant text NOT NULL,
      name text NOT NULL,
      label text NOT NULL,
      revision integer NOT NULL,
      shares jsonb NOT NULL,
      undone boolean NOT NULL DEFAULT false,
      set_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (tenant, name, label, revision),
      FOREIGN KEY (tenant, name) REFERENCES prompts
    );`,
};
