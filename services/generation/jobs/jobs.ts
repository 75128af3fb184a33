import { isDeepStrictEqual } from "node:util";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import type { RecordStore } from "@headwater/record-store";
import type { Telemetry } from "@headwater/telemetry";
import type { Job, JobKind, JsonObject } from "./job.ts";
import { endedStates } from "./job.ts";
import { JobChanges } from "./job-changes.ts";
import type { JobMetrics } from "./job-metrics.ts";
import { createJobMetrics } from "./job-metrics.ts";
import type { Delivery, JobQueueTiming, QueuedJob } from "./job-queue.ts";
import { JobQueue } from "./job-queue.ts";
import { JobRunner } from "./job-runner.ts";
import type { NewJob } from "./job-store.ts";
import { JobStore, jobChannel } from "./job-store.ts";
import type { Schedule } from "./schedule-store.ts";
import { keyOf, ScheduleStore } from "./schedule-store.ts";

/** Ended jobs are kept for so long, like the queue's own. */
const keepMs = 30 * 24 * 3600 * 1000;
const sweepIntervalMs = 3600 * 1000;
/** Between two counts of the jobs that wait, for the metrics. */
const countIntervalMs = 15_000;
const scheduledAttempts = 3;

export interface JobsOptions {
  readonly records: RecordStore;
  readonly kinds: readonly JobKind[];
  readonly telemetry: Telemetry;
  readonly timing?: JobQueueTiming;
}

/** Work in the background: takes jobs, runs them one after another by kind, and tells how they stand. */
export class Jobs {
  readonly store: JobStore;
  readonly schedules: ScheduleStore;
  readonly #kinds: ReadonlyMap<string, JobKind>;
  readonly #queue: JobQueue;
  readonly #runner: JobRunner;
  readonly #changes = new JobChanges();
  readonly #metrics: JobMetrics;
  readonly #telemetry: Telemetry;
  readonly #sweeper: NodeJS.Timeout;
  readonly #counter: NodeJS.Timeout;

  private constructor({ records, kinds, telemetry }: JobsOptions, queue: JobQueue) {
    this.store = new JobStore(records);
    this.schedules = new ScheduleStore(records);
    this.#kinds = new Map(kinds.map((kind) => [kind.name, kind]));
    this.#queue = queue;
    this.#metrics = createJobMetrics(telemetry.metrics, [...this.#kinds.keys()]);
    this.#runner = new JobRunner(this.store, this.#metrics, telemetry);
    this.#telemetry = telemetry;
    this.#sweeper = setInterval(() => this.#sweep(), sweepIntervalMs);
    this.#counter = setInterval(() => this.#count(), countIntervalMs);
  }

  /** Opens the queue; `start` takes jobs from it. */
  static async open(options: JobsOptions): Promise<Jobs> {
    const { records, kinds, telemetry, timing } = options;
    const names = kinds.map(({ name }) => name);
    const onError = (thrown: unknown) => telemetry.log.warn({ err: thrown }, "the job queue's upkeep failed");
    const jobs = new Jobs(options, await JobQueue.open(records, names, onError, timing));
    await records.listen(jobChannel, {
      onPayload: (id) => jobs.#noteChange(id),
      onGap: () => {
        jobs.#changes.tellAll();
        for (const id of jobs.#runner.running) jobs.#noteChange(id);
      },
    });
    return jobs;
  }

  async start(): Promise<void> {
    this.#count();
    for (const kind of this.#kinds.values()) {
      await this.#queue.work(kind.name, kind.concurrency, (delivery) => this.#handle(kind, delivery));
    }
  }

  /** @throws HeadwaterError INVALID_ARGUMENT where the kind is not known or its input not right */
  check(kind: string, input: JsonObject): void {
    const found = this.#kinds.get(kind);
    if (!found) {
      throw invalidArgument(
        "HW_JOB_KIND_UNKNOWN",
        `There is no kind of job "${kind}".`,
        `Name one of: ${[...this.#kinds.keys()].join(", ")}.`,
      );
    }
    found.check(input);
  }

  async submit(job: NewJob): Promise<{ job: Job; existed: boolean }> {
    this.check(job.kind, job.input);
    const { kind, input, priority, startAfter } = job;
    const added = await this.store.add(job, (id, queries) =>
      this.#queue.send(kind, { id, queueId: id, priority, startAfter }, queries),
    );
    const { job: known, existed } = added;
    if (existed && (known.kind !== kind || !isDeepStrictEqual(known.input, input))) {
      throw invalidArgument(
        "HW_IDEMPOTENCY_KEY_REUSED",
        "Another job was submitted with this idempotency key.",
        "Send a new key for a new job.",
      );
    }
    return added;
  }

  /** @throws HeadwaterError NOT_FOUND, HW_JOB_NOT_FOUND */
  async get(tenant: string, id: string): Promise<Job> {
    const job = await this.store.find(tenant, id);
    if (job) return job;
    throw new HeadwaterError({
      code: status.NOT_FOUND,
      reason: "HW_JOB_NOT_FOUND",
      message: "There is no job of that id.",
      action: "List the jobs; those that ended 30 days ago are gone.",
    });
  }

  /** @returns the job as it is where it had ended already */
  async cancel(tenant: string, id: string): Promise<Job> {
    const cancelled = await this.store.cancel(tenant, id);
    if (!cancelled) return await this.get(tenant, id);
    // Where it runs, in this process or another, its work hears of the change.
    await this.#queue.cancel(cancelled.kind, cancelled.queueId);
    this.#metrics.ended.inc({ kind: cancelled.kind, state: "cancelled" });
    return cancelled;
  }

  /** @throws HeadwaterError NOT_FOUND, or FAILED_PRECONDITION, HW_JOB_NOT_ENDED */
  async retry(tenant: string, id: string): Promise<Job> {
    const retried = await this.store.retry(tenant, id, (job, queries) =>
      this.#queue.send(job.kind, { ...job, startAfter: undefined }, queries),
    );
    if (retried) return retried;
    const { state } = await this.get(tenant, id);
    throw new HeadwaterError({
      code: status.FAILED_PRECONDITION,
      reason: "HW_JOB_NOT_ENDED",
      message: `The job is ${state}: only one that failed or was cancelled can be tried again.`,
    });
  }

  /** A job now, and each time that it changes, until it ends; of changes in quick succession the last. */
  async *watch(tenant: string, id: string, signal: AbortSignal): AsyncGenerator<Job> {
    const subscription = this.#changes.subscribe(id);
    try {
      while (true) {
        const job = await this.get(tenant, id);
        yield job;
        if (endedStates.includes(job.state)) return;
        await subscription.changed(signal);
      }
    } finally {
      subscription.close();
    }
  }

  /** @throws HeadwaterError INVALID_ARGUMENT */
  async setSchedule(schedule: Schedule): Promise<void> {
    this.check(schedule.kind, schedule.input);
    this.#checkCron(schedule);
    const before = await this.schedules.set(schedule);
    if (before && before.kind !== schedule.kind) await this.#queue.deleteSchedule(before.kind, keyOf(before));
    const { tenant, owner, kind, input } = schedule;
    await this.#queue.setSchedule(keyOf(schedule), schedule, { schedule: { tenant, owner, kind, input } });
  }

  async deleteSchedule(tenant: string, name: string): Promise<void> {
    const deleted = await this.schedules.delete(tenant, name);
    if (deleted) await this.#queue.deleteSchedule(deleted.kind, keyOf(deleted));
  }

  /** Hands back what runs. */
  async close(graceMs: number): Promise<void> {
    clearInterval(this.#sweeper);
    clearInterval(this.#counter);
    this.#runner.close();
    await this.#queue.close(graceMs);
  }

  async #handle(kind: JobKind, delivery: Delivery): Promise<void> {
    await this.#runner.handle(kind, await this.#jobId(delivery), delivery);
  }

  async #jobId({ queueId, content }: Delivery): Promise<string> {
    if (!isScheduled(content)) return content.jobId;
    const { tenant, owner, kind, input } = content.schedule;
    await this.store.addDelivered(queueId, {
      ...{ tenant, owner, kind, input, priority: 0, maxAttempts: scheduledAttempts },
      ...{ startAfter: undefined, idempotencyKey: undefined },
    });
    return queueId;
  }

  /** A job that runs here may have been cancelled elsewhere. */
  #noteChange(id: string): void {
    this.#changes.tell(id);
    if (!this.#runner.running.includes(id)) return;
    this.store
      .isCancelled(id)
      .then((cancelled) => {
        if (cancelled) this.#runner.cancel(id);
      })
      .catch((thrown: unknown) =>
        this.#telemetry.log.warn({ err: thrown, job: id }, "a job was not looked at"),
      );
  }

  #checkCron({ cron, timeZone }: Schedule): void {
    try {
      if (cron.trim().split(/\s+/).length !== 5) throw new Error("it has not five fields");
      this.#queue.preview(cron, timeZone);
    } catch (cause) {
      throw new HeadwaterError({
        code: status.INVALID_ARGUMENT,
        reason: "HW_SCHEDULE_INVALID",
        message: `"${cron}" in "${timeZone}" is no schedule: ${cause instanceof Error ? cause.message : String(cause)}.`,
        action: 'Send five fields of cron, such as "30 2 * * 1", and an IANA time zone.',
        cause,
      });
    }
  }

  #count(): void {
    this.store
      .countOpen()
      .then((open) => this.#metrics.showOpen(open))
      .catch((thrown: unknown) => this.#telemetry.log.warn({ err: thrown }, "jobs were not counted"));
  }

  #sweep(): void {
    this.store
      .deleteEnded(new Date(Date.now() - keepMs))
      .catch((thrown: unknown) => this.#telemetry.log.warn({ err: thrown }, "old jobs were not deleted"));
  }
}

function isScheduled(content: QueuedJob): content is Extract<QueuedJob, { schedule: unknown }> {
  return "schedule" in content;
}
