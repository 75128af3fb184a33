import { randomUUID } from "node:crypto";
import { HeadwaterError, status } from "@headwater/errors";
import type { Telemetry } from "@headwater/telemetry";
import type { Job, JobFailure, JobKind, JobProgress, JsonObject } from "./job.ts";
import type { JobMetrics } from "./job-metrics.ts";
import type { Delivery } from "./job-queue.ts";
import type { JobStore } from "./job-store.ts";

/** Between two writes of a job's progress. */
const reportIntervalMs = 500;
/** Bytes of JSON. */
const maxOutputBytes = 1024 * 1024;

/** Codes that another attempt would meet again. */
const hopeless: ReadonlySet<number> = new Set([
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.ALREADY_EXISTS,
  status.PERMISSION_DENIED,
  status.UNAUTHENTICATED,
  status.FAILED_PRECONDITION,
  status.OUT_OF_RANGE,
  status.UNIMPLEMENTED,
]);

/** Why a job's work is broken off. */
type Break = "cancelled" | "closing";

/** Runs deliveries of jobs, and writes down what becomes of them. */
export class JobRunner {
  readonly #store: JobStore;
  readonly #metrics: JobMetrics;
  readonly #telemetry: Telemetry;
  /** By job id. */
  readonly #running = new Map<string, AbortController>();
  #closing = false;

  constructor(store: JobStore, metrics: JobMetrics, telemetry: Telemetry) {
    this.#store = store;
    this.#metrics = metrics;
    this.#telemetry = telemetry;
  }

  /** @throws where the job is to be delivered again */
  async handle(kind: JobKind, jobId: string, delivery: Delivery): Promise<void> {
    if (this.#closing) throw handedBack();
    const run = randomUUID();
    const job = await this.#store.start(jobId, delivery.queueId, run);
    if (!job) return;
    if (job.attempts > job.maxAttempts) {
      await this.#end(job, "failed", () => this.#store.fail(jobId, run, lost));
      return;
    }
    const breaking = new AbortController();
    this.#running.set(jobId, breaking);
    const reports = new ReportWriter((progress) => this.#store.report(jobId, run, progress));
    const stopTimer = this.#metrics.duration.startTimer({ kind: kind.name });
    try {
      const signal = AbortSignal.any([breaking.signal, delivery.signal]);
      const output = await kind.run(job, { signal, report: (progress) => reports.note(progress) });
      checkOutput(output);
      await reports.flush();
      await this.#end(job, "completed", () => this.#store.complete(jobId, run, output));
    } catch (thrown) {
      await reports.flush();
      await this.#settleFailure(job, run, thrown, breaking.signal.reason as Break | undefined);
    } finally {
      stopTimer();
      this.#running.delete(jobId);
    }
  }

  /** Tells a job's work to stop, where it runs here. */
  cancel(jobId: string): void {
    this.#running.get(jobId)?.abort("cancelled" satisfies Break);
  }

  /** Jobs that run here. */
  get running(): readonly string[] {
    return [...this.#running.keys()];
  }

  /** Hands back what runs: another process, or this one once it is back, goes on with it. */
  close(): void {
    this.#closing = true;
    for (const breaking of this.#running.values()) breaking.abort("closing" satisfies Break);
  }

  async #settleFailure(job: Job, run: string, thrown: unknown, why: Break | undefined): Promise<void> {
    if (why === "cancelled") return;
    if (why === "closing") {
      await this.#store.giveBack(job.id, run, undefined);
      throw handedBack();
    }
    const error = HeadwaterError.from(thrown);
    const failure: JobFailure = { reason: error.reason, message: error.message, action: error.action ?? "" };
    const log = { err: error, job: job.id, kind: job.kind, tenant: job.tenant, attempt: job.attempts };
    if (hopeless.has(error.code) || job.attempts >= job.maxAttempts) {
      this.#telemetry.log.warn(log, "a job failed for good");
      await this.#end(job, "failed", () => this.#store.fail(job.id, run, failure));
      return;
    }
    this.#telemetry.log.info(log, "a job failed and is tried again");
    await this.#store.giveBack(job.id, run, failure);
    throw error;
  }

  async #end(job: Job, state: "completed" | "failed", write: () => Promise<void>): Promise<void> {
    await write();
    this.#metrics.ended.inc({ kind: job.kind, state });
  }
}

/** Of a job whose process died with it in hand, as often as it may be started. */
const lost: JobFailure = {
  reason: "HW_JOB_LOST",
  message: "The process that ran the job ended without a word, each time that it was started.",
  action: "Look into the log of generation for what ended it, then retry the job.",
};

function handedBack(): HeadwaterError {
  return new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_JOB_HANDED_BACK",
    message: "The process ends; the job goes back into the queue.",
  });
}

function checkOutput(output: JsonObject): void {
  const bytes = Buffer.byteLength(JSON.stringify(output));
  if (bytes <= maxOutputBytes) return;
  throw new HeadwaterError({
    code: status.OUT_OF_RANGE,
    reason: "HW_JOB_OUTPUT_TOO_LARGE",
    message: `What came of the job has ${bytes} bytes, more than ${maxOutputBytes}.`,
    action: "Split the job.",
  });
}

/** Writes the latest progress now and then; a write that fails fails the job with its end. */
class ReportWriter {
  readonly #write: (progress: JobProgress) => Promise<void>;
  #waiting: JobProgress | undefined;
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #failure: unknown;

  constructor(write: (progress: JobProgress) => Promise<void>) {
    this.#write = write;
  }

  note(progress: JobProgress): void {
    this.#waiting = { ...progress, note: progress.note.slice(0, 256) };
    this.#timer ??= setTimeout(() => this.#writeOne(), reportIntervalMs);
  }

  /** What was noted is written. */
  async flush(): Promise<void> {
    this.#writeOne();
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #writeOne(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const progress = this.#waiting;
    this.#waiting = undefined;
    if (!progress) return;
    this.#writing = this.#writing
      .then(() => this.#write(progress))
      .catch((thrown: unknown) => {
        this.#failure ??= thrown;
      });
  }
}
