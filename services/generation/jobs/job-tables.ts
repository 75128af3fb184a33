import type { Tables } from "../migrations.ts";

/**
 * What people see of jobs. The queue itself, with its turns, pauses and priorities, is pg-boss' in a schema of its own;
 * `run` tells which delivery of the job may write: one that was taken for dead and comes back may not.
 */
export const jobTables: Tables = {
  name: "jobs",
  sql: `
    CREATE TABLE jobs (
      id uuid PRIMARY KEY,
      tenant text NOT NULL,
      owner text NOT NULL,
      kind text NOT NULL,
      state text NOT NULL,
      input jsonb NOT NULL,
      output jsonb,
      progress_done bigint NOT NULL DEFAULT 0,
      progress_total bigint NOT NULL DEFAULT 0,
      progress_note text NOT NULL DEFAULT '',
      error jsonb,
      attempts integer NOT NULL DEFAULT 0,
      max_attempts integer NOT NULL,
      priority integer NOT NULL,
      idempotency_key text,
      queue_id uuid NOT NULL,
      run uuid,
      created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
      started_at timestamptz(3),
      ended_at timestamptz(3),
      start_after timestamptz(3)
    );
    CREATE UNIQUE INDEX jobs_idempotency ON jobs (tenant, idempotency_key);
    CREATE INDEX jobs_newest ON jobs (tenant, created_at DESC, id DESC);
    CREATE INDEX jobs_ended ON jobs (ended_at);
    CREATE TABLE job_schedules (
      tenant text NOT NULL,
      name text NOT NULL,
      owner text NOT NULL,
      cron text NOT NULL,
      time_zone text NOT NULL,
      kind text NOT NULL,
      input jsonb NOT NULL,
      PRIMARY KEY (tenant, name)
    );`,
};
