import type { JsonObject } from "@bufbuild/protobuf";
import type { Job, Schedule, SubmitJobOptions } from "@headwater/client";
import { jobStates } from "@headwater/client";
import { z } from "zod";
import { nextPageTokenSchema, pageQuery, timeSchema } from "./page.ts";
import { named } from "./registry.ts";
import { defined } from "./search.ts";

const kind = z.string().min(1).max(64).describe("chat, index, reindex or evaluate");
/** Any object: what was parsed as JSON is JSON. */
const jsonObject = z.record(z.string(), z.unknown()) as unknown as z.ZodType<JsonObject>;
const input = jsonObject.describe("By kind; docs/jobs.md has the fields");

/** What can be asked of a job beside its work. */
export const submitFields = {
  priority: z.int().min(-100).max(100).optional().describe("Higher first. Default 0"),
  max_attempts: z.int().min(1).max(20).optional().describe("Default 3"),
  start_after: z.iso.datetime({ offset: true }).optional().describe("Default: at once"),
  idempotency_key: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe("A repeated request with the same key is the same job"),
};

export const newJobSchema = named(
  "NewJob",
  z.strictObject({ kind, input: input.optional(), ...submitFields }),
);

export const jobsQuery = z.strictObject({
  ...pageQuery.shape,
  state: z
    .union([z.enum(jobStates), z.array(z.enum(jobStates))])
    .optional()
    .describe("May be given more than once. Default: all"),
  kind: kind.optional(),
});

export const jobSchema = named(
  "Job",
  z.object({
    id: z.string(),
    kind: z.string(),
    state: z.enum(jobStates).describe("failed: for good, until it is put into the queue again"),
    input,
    output: jsonObject.optional().describe("Absent until it has ended well"),
    progress: z.object({
      done: z.number(),
      total: z.number().describe("0: not known"),
      note: z.string().describe("What it does just now"),
    }),
    error: z
      .object({ reason: z.string(), message: z.string(), action: z.string() })
      .optional()
      .describe("Why it failed, the last time that it did"),
    attempts: z.number().describe("Times it was started"),
    max_attempts: z.number(),
    priority: z.number(),
    owner: z.string().describe("Who submitted it"),
    created_time: timeSchema.optional(),
    started_time: timeSchema.optional(),
    ended_time: timeSchema.optional(),
    start_after: timeSchema.optional(),
  }),
);

export const jobListSchema = named(
  "JobList",
  z.object({ jobs: z.array(jobSchema).describe("Newest first"), next_page_token: nextPageTokenSchema }),
);

export const scheduleNameSchema = z.string().regex(/^[a-z0-9._-]{1,64}$/, "must be 1 to 64 of a-z 0-9 . _ -");

const scheduleFields = {
  cron: z.string().min(1).max(256).describe("Five fields, with minutes first"),
  time_zone: z.string().max(64).optional().describe("IANA time zone. Default UTC"),
  kind,
  input: input.optional(),
};

export const newScheduleSchema = named("NewSchedule", z.strictObject(scheduleFields));

export const scheduleSchema = named(
  "Schedule",
  z.object({ name: z.string(), cron: z.string(), time_zone: z.string(), kind: z.string(), input }),
);

export const scheduleListSchema = named(
  "ScheduleList",
  z.object({ schedules: z.array(scheduleSchema).describe("By name") }),
);

type Submit = z.output<z.ZodObject<typeof submitFields>>;

/** What is asked of a job in the client's names. */
export function submitOptions(body: Submit): SubmitJobOptions {
  return defined({
    priority: body.priority,
    maxAttempts: body.max_attempts,
    startAfter: body.start_after === undefined ? undefined : new Date(body.start_after),
    idempotencyKey: body.idempotency_key,
  });
}

export function jobJson(job: Job): z.output<typeof jobSchema> {
  const { id, state, progress, error, attempts, priority, owner } = job;
  return {
    ...{ id, kind: job.kind, state, attempts, priority, owner },
    input: job.input,
    output: job.output,
    progress: { ...progress },
    error: error && { ...error },
    max_attempts: job.maxAttempts,
    created_time: job.createdTime?.toISOString(),
    started_time: job.startedTime?.toISOString(),
    ended_time: job.endedTime?.toISOString(),
    start_after: job.startAfter?.toISOString(),
  };
}

export function scheduleJson(schedule: Required<Schedule>): z.output<typeof scheduleSchema> {
  const { name, cron, timeZone } = schedule;
  return { name, cron, time_zone: timeZone, kind: schedule.kind, input: schedule.input };
}
