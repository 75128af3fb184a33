import { invalidArgument } from "@headwater/errors";
import type {
  CancelJobRequest,
  DeepPartial,
  DeleteScheduleRequest,
  GetJobRequest,
  Job as JobMessage,
  JobServiceImplementation,
  ListJobsRequest,
  ListSchedulesRequest,
  RetryJobRequest,
  Schedule as ScheduleMessage,
  SetScheduleRequest,
  SubmitJobRequest,
  WatchJobRequest,
} from "@headwater/proto/services/headwater/v1/job";
import { JobState as JobStateMessage } from "@headwater/proto/services/headwater/v1/job";
import type { RpcContext } from "@headwater/rpc";
import {
  checkPageSize,
  checkTenant,
  checkUuid,
  checkWhose,
  decodeTimePlace,
  timePlaceOf,
  toPage,
} from "@headwater/rpc";
import type { CallContext } from "nice-grpc";
import type { Job, JobState } from "./job.ts";
import type { Jobs } from "./jobs.ts";
import type { Schedule } from "./schedule-store.ts";

/** Bytes of JSON. */
const maxInputBytes = 1024 * 1024;
const maxKeyBytes = 128;
const usualAttempts = 3;
const mostAttempts = 20;
const mostPriority = 100;

const stateMessages: Readonly<Record<JobState, JobStateMessage>> = {
  queued: JobStateMessage.QUEUED,
  active: JobStateMessage.ACTIVE,
  completed: JobStateMessage.COMPLETED,
  failed: JobStateMessage.FAILED,
  cancelled: JobStateMessage.CANCELLED,
};

/** The rpcs of JobService. */
export class JobHandlers implements JobServiceImplementation<RpcContext> {
  readonly #jobs: Jobs;

  constructor(jobs: Jobs) {
    this.#jobs = jobs;
  }

  async submitJob(request: SubmitJobRequest) {
    const { kind, input = {}, priority, maxAttempts, startAfter, idempotencyKey } = request;
    checkInput(input);
    if (Math.abs(priority) > mostPriority)
      throw invalidArgument("HW_JOB_PRIORITY_INVALID", `The priority is not from -100 to ${mostPriority}.`);
    if (maxAttempts > mostAttempts)
      throw invalidArgument("HW_JOB_ATTEMPTS_INVALID", `There are at most ${mostAttempts} attempts.`);
    if (Buffer.byteLength(idempotencyKey) > maxKeyBytes || idempotencyKey.includes("\0"))
      throw invalidArgument(
        "HW_IDEMPOTENCY_KEY_INVALID",
        `A key has at most ${maxKeyBytes} bytes and no NUL.`,
      );
    const { job, existed } = await this.#jobs.submit({
      ...checkWhose(request),
      ...{ kind, input, priority, startAfter },
      maxAttempts: maxAttempts || usualAttempts,
      idempotencyKey: idempotencyKey || undefined,
    });
    return { job: toMessage(job), existed };
  }

  async getJob(request: GetJobRequest) {
    return { job: toMessage(await this.#jobs.get(checkTenant(request.tenant), checkUuid(request.id))) };
  }

  async listJobs(request: ListJobsRequest) {
    const tenant = checkTenant(request.tenant);
    const limit = checkPageSize(request.pageSize);
    const states = request.states.map(toState);
    const { kind } = request;
    const question = JSON.stringify(["jobs", tenant, states, kind]);
    const before = decodeTimePlace(question, request.pageToken);
    const rows = await this.#jobs.store.list(tenant, { states, kind }, limit + 1, before);
    const { page, nextPageToken } = toPage(rows, limit, question, ({ createdTime: time, id }) =>
      timePlaceOf({ time, id }),
    );
    return { jobs: page.map(toMessage), nextPageToken };
  }

  async cancelJob(request: CancelJobRequest) {
    return { job: toMessage(await this.#jobs.cancel(checkTenant(request.tenant), checkUuid(request.id))) };
  }

  async retryJob(request: RetryJobRequest) {
    return { job: toMessage(await this.#jobs.retry(checkTenant(request.tenant), checkUuid(request.id))) };
  }

  async *watchJob(request: WatchJobRequest, context: CallContext & RpcContext) {
    context.abortOnTerminate();
    const tenant = checkTenant(request.tenant);
    for await (const job of this.#jobs.watch(tenant, checkUuid(request.id), context.signal))
      yield { job: toMessage(job) };
  }

  async setSchedule(request: SetScheduleRequest) {
    const { schedule } = request;
    if (!schedule) throw invalidArgument("HW_SCHEDULE_INVALID", "The request names no schedule.");
    const { input = {}, timeZone, ...rest } = schedule;
    checkInput(input);
    const checked: Schedule = {
      ...rest,
      input,
      name: checkScheduleName(schedule.name),
      timeZone: timeZone || "UTC",
      ...checkWhose(request),
    };
    await this.#jobs.setSchedule(checked);
    return { schedule: toScheduleMessage(checked) };
  }

  async listSchedules(request: ListSchedulesRequest) {
    const schedules = await this.#jobs.schedules.list(checkTenant(request.tenant));
    return { schedules: schedules.map(toScheduleMessage) };
  }

  async deleteSchedule(request: DeleteScheduleRequest) {
    await this.#jobs.deleteSchedule(checkTenant(request.tenant), checkScheduleName(request.name));
    return {};
  }
}

function checkInput(input: object): void {
  const bytes = Buffer.byteLength(JSON.stringify(input));
  if (bytes > maxInputBytes)
    throw invalidArgument(
      "HW_JOB_INPUT_TOO_LARGE",
      `The input has ${bytes} bytes of JSON, more than ${maxInputBytes}.`,
      "Send several jobs.",
    );
}

function checkScheduleName(name: string): string {
  if (/^[a-z0-9._-]{1,64}$/.test(name)) return name;
  throw invalidArgument("HW_SCHEDULE_NAME_INVALID", "A schedule's name is 1 to 64 of a-z 0-9 . _ and -");
}

function toState(message: JobStateMessage): JobState {
  for (const [state, known] of Object.entries(stateMessages)) if (known === message) return state as JobState;
  throw invalidArgument("HW_JOB_STATE_UNKNOWN", "The request names a state that is none.");
}

function toMessage(job: Job): DeepPartial<JobMessage> {
  return {
    id: job.id,
    kind: job.kind,
    state: stateMessages[job.state],
    input: job.input,
    output: job.output,
    progress: job.progress,
    error: job.failure,
    attempts: job.attempts,
    maxAttempts: job.maxAttempts,
    priority: job.priority,
    owner: job.owner,
    createdTime: job.createdTime,
    startedTime: job.startedTime,
    endedTime: job.endedTime,
    startAfter: job.startAfter,
  };
}

function toScheduleMessage({ name, cron, timeZone, kind, input }: Schedule): DeepPartial<ScheduleMessage> {
  return { name, cron, timeZone, kind, input };
}
