import type { Owner } from "../turns/turn.ts";

/** What a job is given, or what came of it: a JSON object. */
export type JsonObject = { [key: string]: unknown };

export type JobState = "queued" | "active" | "completed" | "failed" | "cancelled";

/** States that a job leaves only by RetryJob. */
export const endedStates: readonly JobState[] = ["completed", "failed", "cancelled"];

export interface JobProgress {
  readonly done: number;
  /** 0: not known. */
  readonly total: number;
  readonly note: string;
}

/** Why a job failed. */
export interface JobFailure {
  readonly reason: string;
  readonly message: string;
  readonly action: string;
}

/** A job as it is kept. */
export interface Job extends Owner {
  readonly id: string;
  readonly kind: string;
  readonly state: JobState;
  readonly input: JsonObject;
  readonly output: JsonObject | undefined;
  readonly progress: JobProgress;
  readonly failure: JobFailure | undefined;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly priority: number;
  readonly createdTime: Date;
  readonly startedTime: Date | undefined;
  readonly endedTime: Date | undefined;
  readonly startAfter: Date | undefined;
  /** Of the queue's own job. */
  readonly queueId: string;
}

/** What a kind of job works with. */
export interface JobContext {
  /** Fires when the job is cancelled, or handed back because the process ends. */
  readonly signal: AbortSignal;
  /** Tells how far the job is; written now and then. */
  report(progress: JobProgress): void;
}

/** A kind of work. It may run again after it failed or its process died, so it starts where it can go on, or from the start. */
export interface JobKind {
  readonly name: string;
  /** Jobs of the kind that one process runs at once. */
  readonly concurrency: number;
  /**
   * Before the job is taken.
   *
   * @throws HeadwaterError INVALID_ARGUMENT
   */
  check(input: JsonObject): void;
  /** @returns what came of it, at most 1 MiB as JSON */
  run(job: Job, context: JobContext): Promise<JsonObject>;
}
