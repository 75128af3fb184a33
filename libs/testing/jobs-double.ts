import { HeadwaterError, status } from "@headwater/errors";
import type { Job, JobServiceDefinition, Schedule } from "@headwater/proto/services/headwater/v1/job";
import { JobState } from "@headwater/proto/services/headwater/v1/job";
import type { RpcContext } from "@headwater/rpc";
import type { ServiceImplementation } from "nice-grpc";
import type { EnterDouble } from "./double-call.ts";
import { doubleTime, notFound } from "./double-call.ts";

/** Jobs, of all tenants together. They stay queued; watching one does it, but for the kind "stuck". */
export function jobsDouble(enter: EnterDouble): ServiceImplementation<JobServiceDefinition, RpcContext> {
  const jobs = new Map<string, Job>();
  const keys = new Map<string, Job>();
  const schedules = new Map<string, Schedule>();
  const find = (id: string) => {
    const found = jobs.get(id);
    if (found) return found;
    throw notFound("HW_JOB_NOT_FOUND", "job");
  };
  return {
    async submitJob(request, context) {
      await enter("", request, context);
      const known = request.idempotencyKey === "" ? undefined : keys.get(request.idempotencyKey);
      if (known) return { job: known, existed: true };
      const { kind, input, priority, maxAttempts, owner, startAfter } = request;
      const job = {
        ...{ id: `job-${jobs.size + 1}`, kind, input, priority, owner, startAfter },
        ...{ state: JobState.QUEUED, attempts: 0, maxAttempts: maxAttempts || 3, createdTime: doubleTime },
        ...{ output: undefined, error: undefined, startedTime: undefined, endedTime: undefined },
        progress: { done: 0, total: 2, note: "" },
      };
      jobs.set(job.id, job);
      if (request.idempotencyKey !== "") keys.set(request.idempotencyKey, job);
      return { job, existed: false };
    },
    async getJob(request, context) {
      await enter("", request, context);
      return { job: find(request.id) };
    },
    async listJobs(request, context) {
      await enter("", request, context);
      const chosen = [...jobs.values()].filter(
        ({ kind, state }) =>
          (request.kind === "" || kind === request.kind) &&
          (request.states.length === 0 || request.states.includes(state)),
      );
      return { jobs: chosen.toReversed(), nextPageToken: "" };
    },
    async cancelJob(request, context) {
      await enter("", request, context);
      const job = find(request.id);
      job.state = JobState.CANCELLED;
      return { job };
    },
    async retryJob(request, context) {
      await enter("", request, context);
      const job = find(request.id);
      if (job.state !== JobState.FAILED && job.state !== JobState.CANCELLED) {
        throw new HeadwaterError({
          code: status.FAILED_PRECONDITION,
          reason: "HW_JOB_NOT_ENDED",
          message: "The job has neither failed nor been cancelled.",
          action: "Cancel it first.",
        });
      }
      job.state = JobState.QUEUED;
      return { job };
    },
    async *watchJob(request, context) {
      await enter("", request, context);
      const job = find(request.id);
      yield { job };
      if (job.kind === "stuck") {
        context.abortOnTerminate();
        const { promise, reject } = Promise.withResolvers<never>();
        context.signal.addEventListener("abort", () => reject(context.signal.reason), { once: true });
        await promise;
      }
      job.state = JobState.COMPLETED;
      job.output = { answer: "At new moon." };
      yield { job };
    },
    async setSchedule(request, context) {
      await enter("", request, context);
      const { schedule } = request;
      if (!schedule) throw notFound("HW_SCHEDULE_NOT_FOUND", "schedule");
      schedules.set(schedule.name, schedule);
      return { schedule };
    },
    async listSchedules(request, context) {
      await enter("", request, context);
      return { schedules: [...schedules.values()] };
    },
    async deleteSchedule(request, context) {
      await enter("", request, context);
      schedules.delete(request.name);
      return {};
    },
  };
}
