import { randomUUID } from "node:crypto";
import type { Queries, RecordStore } from "@headwater/record-store";
import type { TimePlace } from "@headwater/rpc";
import type { Owner } from "../turns/turn.ts";
import type { Job, JobFailure, JobProgress, JobState, JsonObject } from "./job.ts";
import type { OpenJobs } from "./job-metrics.ts";

/** Told with a job's id whenever it changes. */
export const jobChannel = "jobs";

/** A job to be. */
export interface NewJob extends Owner {
  readonly kind: string;
  readonly input: JsonObject;
  readonly priority: number;
  readonly maxAttempts: number;
  readonly startAfter: Date | undefined;
  readonly idempotencyKey: string | undefined;
}

interface Row {
  id: string;
  tenant: string;
  owner: string;
  kind: string;
  state: JobState;
  input: JsonObject;
  output: JsonObject | null;
  progress_done: number;
  progress_total: number;
  progress_note: string;
  error: JobFailure | null;
  attempts: number;
  max_attempts: number;
  priority: number;
  queue_id: string;
  created_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
  start_after: Date | null;
}

const columns =
  "id, tenant, owner, kind, state, input, output, progress_done, progress_total, progress_note, error, attempts, max_attempts, priority, queue_id, created_at, started_at, ended_at, start_after";

/** Jobs in the record store. Whoever runs one holds its `run`: writes of another run change nothing. */
export class JobStore {
  readonly #records: RecordStore;

  constructor(records: RecordStore) {
    this.#records = records;
  }

  /**
   * Writes a job and puts it into the queue, both or neither.
   *
   * @param enqueue within the transaction of `queries`
   * @returns the job that is there already where the idempotency key is known
   */
  async add(
    job: NewJob,
    enqueue: (id: string, queries: Queries) => Promise<void>,
  ): Promise<{ job: Job; existed: boolean }> {
    const added = await this.#records.transaction(async (queries) => {
      const id = randomUUID();
      const [row] = await queries.query<Row>(
        `INSERT INTO jobs (id, tenant, owner, kind, state, input, max_attempts, priority, idempotency_key, queue_id, start_after)
         VALUES ($1, $2, $3, $4, 'queued', $5::jsonb, $6, $7, $8, $1, $9)
         ON CONFLICT (tenant, idempotency_key) DO NOTHING RETURNING ${columns}`,
        [
          id,
          job.tenant,
          job.owner,
          job.kind,
          JSON.stringify(job.input),
          job.maxAttempts,
          job.priority,
          job.idempotencyKey ?? null,
          job.startAfter ?? null,
        ],
      );
      if (row) {
        await enqueue(id, queries);
        return { job: toJob(row), existed: false };
      }
      const [known] = await queries.query<Row>(
        `SELECT ${columns} FROM jobs WHERE tenant = $1 AND idempotency_key = $2`,
        [job.tenant, job.idempotencyKey ?? null],
      );
      return known && { job: toJob(known), existed: true };
    });
    if (!added) throw new TypeError("a job with this key went away while it was looked for");
    return added;
  }

  /** A job that a schedule has put into the queue: its row is written by whoever is the first to get it. */
  async addDelivered(id: string, job: NewJob): Promise<void> {
    await this.#records.query(
      `INSERT INTO jobs (id, tenant, owner, kind, state, input, max_attempts, priority, queue_id)
       VALUES ($1, $2, $3, $4, 'queued', $5::jsonb, $6, $7, $1) ON CONFLICT (id) DO NOTHING`,
      [id, job.tenant, job.owner, job.kind, JSON.stringify(job.input), job.maxAttempts, job.priority],
    );
  }

  async find(tenant: string, id: string): Promise<Job | undefined> {
    const [row] = await this.#records.query<Row>(
      `SELECT ${columns} FROM jobs WHERE tenant = $1 AND id = $2`,
      [tenant, id],
    );
    return row && toJob(row);
  }

  async isCancelled(id: string): Promise<boolean> {
    const [row] = await this.#records.query("SELECT FROM jobs WHERE id = $1 AND state = 'cancelled'", [id]);
    return row !== undefined;
  }

  /** Newest first. */
  async list(
    tenant: string,
    question: { readonly states: readonly JobState[]; readonly kind: string },
    limit: number,
    before: TimePlace | undefined,
  ): Promise<Job[]> {
    const rows = await this.#records.query<Row>(
      `SELECT ${columns} FROM jobs
       WHERE tenant = $1 AND (cardinality($2::text[]) = 0 OR state = ANY($2::text[])) AND ($3 = '' OR kind = $3)
         AND ($5::timestamptz IS NULL OR (created_at, id) < ($5::timestamptz, $6::uuid))
       ORDER BY created_at DESC, id DESC LIMIT $4`,
      [tenant, question.states, question.kind, limit, before?.time ?? null, before?.id ?? null],
    );
    return rows.map(toJob);
  }

  /**
   * Takes a delivery.
   *
   * @returns undefined where it is not the job's present one, or the job has ended
   */
  async start(id: string, queueId: string, run: string): Promise<Job | undefined> {
    return await this.#change(
      `UPDATE jobs SET state = 'active', run = $3, attempts = attempts + 1, started_at = clock_timestamp()
       WHERE id = $1 AND queue_id = $2 AND state IN ('queued', 'active')`,
      [id, queueId, run],
    );
  }

  async report(id: string, run: string, { done, total, note }: JobProgress): Promise<void> {
    await this.#change(
      `UPDATE jobs SET progress_done = $3, progress_total = $4, progress_note = $5
       WHERE id = $1 AND run = $2 AND state = 'active'`,
      [id, run, done, total, note],
    );
  }

  async complete(id: string, run: string, output: JsonObject): Promise<void> {
    await this.#change(
      `UPDATE jobs SET state = 'completed', output = $3::jsonb, error = NULL, run = NULL, ended_at = clock_timestamp()
       WHERE id = $1 AND run = $2 AND state = 'active'`,
      [id, run, JSON.stringify(output)],
    );
  }

  /** For good. */
  async fail(id: string, run: string, failure: JobFailure): Promise<void> {
    await this.#change(
      `UPDATE jobs SET state = 'failed', error = $3::jsonb, run = NULL, ended_at = clock_timestamp()
       WHERE id = $1 AND run = $2 AND state = 'active'`,
      [id, run, JSON.stringify(failure)],
    );
  }

  /** Back into the queue: it is delivered again. */
  async giveBack(id: string, run: string, failure: JobFailure | undefined): Promise<void> {
    await this.#change(
      `UPDATE jobs SET state = 'queued', error = coalesce($3::jsonb, error), run = NULL,
         attempts = attempts - CASE WHEN $3::jsonb IS NULL THEN 1 ELSE 0 END
       WHERE id = $1 AND run = $2 AND state = 'active'`,
      [id, run, failure ? JSON.stringify(failure) : null],
    );
  }

  /** @returns undefined where it had ended already, or is not there */
  async cancel(tenant: string, id: string): Promise<Job | undefined> {
    return await this.#change(
      `UPDATE jobs SET state = 'cancelled', run = NULL, ended_at = clock_timestamp()
       WHERE tenant = $1 AND id = $2 AND state IN ('queued', 'active')`,
      [tenant, id],
    );
  }

  /**
   * Puts a job that failed or was cancelled into the queue again, with its attempts at zero.
   *
   * @returns undefined where it has done neither
   */
  async retry(
    tenant: string,
    id: string,
    enqueue: (job: Job, queries: Queries) => Promise<void>,
  ): Promise<Job | undefined> {
    const retried = await this.#records.transaction(async (queries) => {
      const [row] = await queries.query<Row>(
        `UPDATE jobs SET state = 'queued', attempts = 0, error = NULL, ended_at = NULL, start_after = NULL, queue_id = $3
         WHERE tenant = $1 AND id = $2 AND state IN ('failed', 'cancelled') RETURNING ${columns}`,
        [tenant, id, randomUUID()],
      );
      if (!row) return undefined;
      await enqueue(toJob(row), queries);
      return toJob(row);
    });
    if (retried) await this.#records.notify(jobChannel, [id]);
    return retried;
  }

  /** Those that have not ended, by kind and state; found by the index on `ended_at`. */
  async countOpen(): Promise<OpenJobs[]> {
    return await this.#records.query<OpenJobs>(
      `SELECT kind, state, count(*)::int AS count, greatest(0, extract(epoch FROM clock_timestamp()
         - min(greatest(created_at, start_after))))::float8 AS "oldestSeconds"
       FROM jobs WHERE ended_at IS NULL GROUP BY kind, state`,
    );
  }

  /** Of jobs that have not ended. */
  async pendingKinds(): Promise<string[]> {
    const rows = await this.#records.query<{ kind: string }>(
      "SELECT DISTINCT kind FROM jobs WHERE ended_at IS NULL",
    );
    return rows.map(({ kind }) => kind);
  }

  /**
   * Gives each job that has not ended a new place in the queue, one after the other.
   *
   * @returns how many
   */
  async requeue(enqueue: (job: Job, queries: Queries) => Promise<void>): Promise<number> {
    const pending = await this.#records.query<{ id: string }>(
      "SELECT id FROM jobs WHERE ended_at IS NULL ORDER BY created_at, id",
    );
    for (const { id } of pending) {
      await this.#records.transaction(async (queries) => {
        const [row] = await queries.query<Row>(
          `UPDATE jobs SET state = 'queued', run = NULL, queue_id = $2 WHERE id = $1 RETURNING ${columns}`,
          [id, randomUUID()],
        );
        if (row) await enqueue(toJob(row), queries);
      });
    }
    return pending.length;
  }

  /** @returns how many were deleted */
  async deleteEnded(before: Date): Promise<number> {
    const gone = await this.#records.query("DELETE FROM jobs WHERE ended_at < $1 RETURNING id", [before]);
    return gone.length;
  }

  async #change(sql: string, parameters: readonly (string | number | null)[]): Promise<Job | undefined> {
    const [row] = await this.#records.query<Row>(`${sql} RETURNING ${columns}`, parameters);
    if (!row) return undefined;
    await this.#records.notify(jobChannel, [row.id]);
    return toJob(row);
  }
}

function toJob(row: Row): Job {
  return {
    id: row.id,
    tenant: row.tenant,
    owner: row.owner,
    kind: row.kind,
    state: row.state,
    input: row.input,
    output: row.output ?? undefined,
    progress: { done: row.progress_done, total: row.progress_total, note: row.progress_note },
    failure: row.error ?? undefined,
    attempts: row.attempts,
    maxAttempts: row.max_attempts,
    priority: row.priority,
    createdTime: row.created_at,
    startedTime: row.started_at ?? undefined,
    endedTime: row.ended_at ?? undefined,
    startAfter: row.start_after ?? undefined,
    queueId: row.queue_id,
  };
}
