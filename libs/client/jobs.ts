import type { JsonObject } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import type {
  Job as JobMessage,
  JobService,
  Schedule as ScheduleMessage,
} from "@headwater/proto/connect/headwater/v1/job";
import { JobState as StateNumber } from "@headwater/proto/connect/headwater/v1/job";
import type { CallOptions, Identity, ListPageOptions } from "./call.ts";
import { connectOptions, pageOf, stream, unary } from "./call.ts";
import { toDate } from "./document.ts";

export const jobStates = ["queued", "active", "completed", "failed", "cancelled"] as const;
export type JobState = (typeof jobStates)[number];

/** Why a job failed, the last time that it did. */
export interface JobError {
  /** Stable, HW_…. */
  readonly reason: string;
  readonly message: string;
  readonly action: string;
}

/** Work in the background. */
export interface Job {
  readonly id: string;
  /** "chat", "index", "reindex" or "evaluate". */
  readonly kind: string;
  readonly state: JobState;
  readonly input: JsonObject;
  /** Undefined until it has ended well. */
  readonly output: JsonObject | undefined;
  readonly progress: {
    readonly done: number;
    /** 0: not known. */
    readonly total: number;
    /** What it does just now. */
    readonly note: string;
  };
  readonly error: JobError | undefined;
  /** Times it was started. */
  readonly attempts: number;
  readonly maxAttempts: number;
  /** -100 to 100; higher first. */
  readonly priority: number;
  /** Who submitted it. */
  readonly owner: string;
  readonly createdTime: Date | undefined;
  readonly startedTime: Date | undefined;
  readonly endedTime: Date | undefined;
  /** Not before this time. */
  readonly startAfter: Date | undefined;
}

export interface SubmitJobOptions extends CallOptions {
  /** -100 to 100; higher first. Default 0. */
  priority?: number;
  /** 1 to 20. Default 3. */
  maxAttempts?: number;
  /** Default: at once. */
  startAfter?: Date;
  /** A repeated request with the same key, 1 to 128 bytes, is the same job. */
  idempotencyKey?: string;
}

export interface ListJobsOptions extends ListPageOptions {
  /** Default: all. */
  states?: readonly JobState[];
  /** Default: all. */
  kind?: string;
}

/** Submits jobs of a kind again and again. */
export interface Schedule {
  readonly name: string;
  /** Five fields, with minutes first. */
  readonly cron: string;
  /** IANA time zone. Default UTC. */
  readonly timeZone?: string;
  readonly kind: string;
  readonly input?: JsonObject;
}

export interface Schedules {
  /** Makes or replaces. */
  set(schedule: Schedule, options?: CallOptions): Promise<Required<Schedule>>;
  /** By name. */
  list(options?: CallOptions): Promise<Required<Schedule>[]>;
  /** Jobs that it has made stay; twice is harmless. */
  delete(name: string, options?: CallOptions): Promise<void>;
}

export interface Jobs {
  /** @param input by kind; docs/jobs.md has the fields */
  submit(
    kind: string,
    input: JsonObject,
    options?: SubmitJobOptions,
  ): Promise<{ job: Job; existed: boolean }>;
  get(id: string, options?: CallOptions): Promise<Job>;
  /** Newest first. */
  list(options?: ListJobsOptions): Promise<{ jobs: Job[]; nextPageToken: string }>;
  /** One that waits never starts, one that runs is told to stop. */
  cancel(id: string, options?: CallOptions): Promise<Job>;
  /** Puts a job that failed or was cancelled into the queue again. */
  retry(id: string, options?: CallOptions): Promise<Job>;
  /** A job as it stands, then each time it changes, until it ends. */
  watch(id: string, options?: CallOptions): AsyncGenerator<Job, void, undefined>;
  readonly schedules: Schedules;
}

export function createJobs(service: Client<typeof JobService>, identity: Identity): Jobs {
  return {
    async submit(kind, input, options = {}) {
      const request = {
        ...identity.of(options),
        kind,
        input,
        priority: options.priority ?? 0,
        maxAttempts: options.maxAttempts ?? 0,
        ...(options.startAfter ? { startAfter: timestampFromDate(options.startAfter) } : {}),
        idempotencyKey: options.idempotencyKey ?? "",
      };
      const { job, existed } = await unary(service.submitJob(request, connectOptions(options)));
      return { job: toJob(job), existed };
    },
    async get(id, options = {}) {
      const request = { tenant: identity.tenantOf(options), id };
      return toJob((await unary(service.getJob(request, connectOptions(options)))).job);
    },
    async list(options = {}) {
      const request = {
        tenant: identity.tenantOf(options),
        ...pageOf(options),
        states: (options.states ?? []).map((state) => (jobStates.indexOf(state) + 1) as StateNumber),
        kind: options.kind ?? "",
      };
      const { jobs, nextPageToken } = await unary(service.listJobs(request, connectOptions(options)));
      return { jobs: jobs.map(toJob), nextPageToken };
    },
    async cancel(id, options = {}) {
      const request = { tenant: identity.tenantOf(options), id };
      return toJob((await unary(service.cancelJob(request, connectOptions(options)))).job);
    },
    async retry(id, options = {}) {
      const request = { tenant: identity.tenantOf(options), id };
      return toJob((await unary(service.retryJob(request, connectOptions(options)))).job);
    },
    watch: (id, options = {}) =>
      stream(
        options,
        (call) => service.watchJob({ tenant: identity.tenantOf(options), id }, call),
        ({ job }) => toJob(job),
      ),
    schedules: createSchedules(service, identity),
  };
}

function createSchedules(service: Client<typeof JobService>, identity: Identity): Schedules {
  return {
    async set({ name, cron, timeZone = "", kind, input = {} }, options = {}) {
      const request = { ...identity.of(options), schedule: { name, cron, timeZone, kind, input } };
      return toSchedule((await unary(service.setSchedule(request, connectOptions(options)))).schedule);
    },
    async list(options = {}) {
      const request = { tenant: identity.tenantOf(options) };
      const { schedules } = await unary(service.listSchedules(request, connectOptions(options)));
      return schedules.map(toSchedule);
    },
    async delete(name, options = {}) {
      const request = { tenant: identity.tenantOf(options), name };
      await unary(service.deleteSchedule(request, connectOptions(options)));
    },
  };
}

/** States are numbered from 1 in the order of `jobStates`; one that a newer server added reads as "queued". */
function toJob(message: JobMessage | undefined): Job {
  const { progress, error } = message ?? {};
  return {
    id: message?.id ?? "",
    kind: message?.kind ?? "",
    state: jobStates[(message?.state ?? StateNumber.UNSPECIFIED) - 1] ?? "queued",
    input: message?.input ?? {},
    output: message?.output,
    progress: {
      done: Number(progress?.done ?? 0n),
      total: Number(progress?.total ?? 0n),
      note: progress?.note ?? "",
    },
    error: error && { reason: error.reason, message: error.message, action: error.action },
    attempts: message?.attempts ?? 0,
    maxAttempts: message?.maxAttempts ?? 0,
    priority: message?.priority ?? 0,
    owner: message?.owner ?? "",
    createdTime: toDate(message?.createdTime),
    startedTime: toDate(message?.startedTime),
    endedTime: toDate(message?.endedTime),
    startAfter: toDate(message?.startAfter),
  };
}

function toSchedule(message: ScheduleMessage | undefined): Required<Schedule> {
  return {
    name: message?.name ?? "",
    cron: message?.cron ?? "",
    timeZone: message?.timeZone ?? "",
    kind: message?.kind ?? "",
    input: message?.input ?? {},
  };
}
