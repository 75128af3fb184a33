import type { Driver, Queries, RecordStore, RecordValue } from "@headwater/record-store";
import type { ConstructorOptions, Db } from "pg-boss";
import { fromPglite, PgBoss } from "pg-boss";
import type { JsonObject } from "./job.ts";

/** What stands in the queue: a job, or what a schedule makes one of. */
export type QueuedJob =
  | { readonly jobId: string }
  | {
      readonly schedule: {
        readonly tenant: string;
        readonly owner: string;
        readonly kind: string;
        readonly input: JsonObject;
      };
    };

/** A job in the hands of this process. */
export interface Delivery {
  readonly queueId: string;
  readonly content: QueuedJob;
  /** Fires when the delivery is no longer ours: it took too long, or the queue closes. */
  readonly signal: AbortSignal;
}

export interface JobQueueTiming {
  /** Between two looks into the queue, where nothing tells of a job. */
  readonly pollSeconds: number;
  /** Without a sign of life after which a delivery counts as lost, from 10. */
  readonly heartbeatSeconds: number;
  /** Between two looks for lost deliveries. */
  readonly superviseSeconds: number;
  /** Before a job that failed is delivered again: doubles each time, up to `maxRetrySeconds`. */
  readonly retrySeconds: number;
  readonly maxRetrySeconds: number;
}

export const usualTiming: JobQueueTiming = {
  pollSeconds: 2,
  heartbeatSeconds: 30,
  superviseSeconds: 30,
  retrySeconds: 2,
  maxRetrySeconds: 600,
};

/** Of pg-boss' tables. */
const schema = "generation_jobs";
/** The row of a job counts its attempts: the queue delivers until it is told that the job has ended. */
const deliveries = 1000;
/** The longest that pg-boss lets a delivery take; jobs of days are broken off by nobody but their owners. */
const longestSeconds = 24 * 3600 - 1;
const keepSeconds = 30 * 24 * 3600;

/** No job's id. */
const nobody = "00000000-0000-0000-0000-000000000000";

/** pg-boss in a schema of its own beside the records: turns, priorities, pauses before a retry, schedules, lost deliveries. */
export class JobQueue {
  readonly #boss: PgBoss;
  readonly #timing: JobQueueTiming;

  private constructor(boss: PgBoss, timing: JobQueueTiming) {
    this.#boss = boss;
    this.#timing = timing;
  }

  /** @param onError told of what went wrong where nobody waits for it; the queue goes on */
  static async open(
    records: RecordStore,
    kinds: readonly string[],
    onError: (thrown: unknown) => void,
    timing: JobQueueTiming = usualTiming,
  ): Promise<JobQueue> {
    const boss = new PgBoss({
      ...database(records.driver),
      schema,
      useListenNotify: true,
      monitorIntervalSeconds: timing.superviseSeconds,
      superviseIntervalSeconds: timing.superviseSeconds,
    });
    boss.on("error", onError);
    await boss.start();
    const { retrySeconds, maxRetrySeconds, heartbeatSeconds } = timing;
    const options = {
      retryLimit: deliveries,
      retryDelay: retrySeconds,
      retryBackoff: true,
      retryDelayMax: maxRetrySeconds,
      expireInSeconds: longestSeconds,
      retentionSeconds: keepSeconds,
      heartbeatSeconds,
      notify: true,
    };
    const openQueue = async (kind: string) => {
      await boss.createQueue(kind, options);
      // A queue that was there keeps what it was made with until it is told.
      await boss.updateQueue(kind, options);
      // It looks a queue up at its first use, and on the embedded store that would wait for the transaction of a `send`.
      await boss.getJobById(kind, nobody);
    };
    await Promise.all(kinds.map(openQueue));
    return new JobQueue(boss, timing);
  }

  /** Forgets the queue of these records and all that waits in it; nobody may have it open. */
  static async drop(records: RecordStore): Promise<void> {
    await records.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  }

  /** Puts a job into the queue within the transaction of `queries`. */
  async send(
    kind: string,
    job: {
      readonly id: string;
      readonly queueId: string;
      readonly priority: number;
      readonly startAfter: Date | undefined;
    },
    queries: Queries,
  ): Promise<void> {
    const content: QueuedJob = { jobId: job.id };
    await this.#boss.send(kind, content, {
      id: job.queueId,
      priority: job.priority,
      ...(job.startAfter ? { startAfter: job.startAfter } : {}),
      db: within(queries),
    });
  }

  /**
   * Takes jobs of a kind, up to `concurrency` at once.
   *
   * @param handle ends when the queue may forget the delivery; where it throws, the job is delivered again later
   */
  async work(
    kind: string,
    concurrency: number,
    handle: (delivery: Delivery) => Promise<void>,
  ): Promise<void> {
    const { pollSeconds } = this.#timing;
    const options = {
      localConcurrency: concurrency,
      batchSize: 1,
      pollingIntervalSeconds: pollSeconds,
      notifyPollingIntervalSeconds: pollSeconds,
    };
    await this.#boss.work<QueuedJob>(kind, options, async (jobs) => {
      for (const { id, data, signal } of jobs) await handle({ queueId: id, content: data, signal });
    });
  }

  /** Where the job waits, it is never delivered. */
  async cancel(kind: string, queueId: string): Promise<void> {
    await this.#boss.cancel(kind, queueId);
  }

  async setSchedule(
    key: string,
    { cron, timeZone }: { readonly cron: string; readonly timeZone: string },
    content: QueuedJob & { schedule: { kind: string } },
  ): Promise<void> {
    await this.#boss.schedule(content.schedule.kind, cron, content, { tz: timeZone, key });
  }

  async deleteSchedule(kind: string, key: string): Promise<void> {
    await this.#boss.unschedule(kind, key);
  }

  /** The next times of a cron expression. @throws Error where it is none */
  preview(cron: string, timeZone: string): Date[] {
    return this.#boss.previewSchedule(cron, { tz: timeZone, count: 1 });
  }

  /** Waits for the jobs in hand until `graceMs` are over. */
  async close(graceMs: number): Promise<void> {
    await this.#boss.stop({ graceful: true, timeout: graceMs, close: true });
  }
}

function database(driver: Driver) {
  return driver.kind === "pglite"
    ? { db: fromPglite(driver.database), backend: "pglite" as const }
    : // pg-boss' types are stricter on undefined than pg's, whose options these are.
      { ...(driver.connection as ConstructorOptions), max: 4 };
}

/** pg-boss' statements in a transaction of ours. */
function within(queries: Queries): Db {
  return {
    executeSql: async (text, values) => ({
      rows: await queries.query(text, (values ?? []) as readonly RecordValue[]),
    }),
  };
}
