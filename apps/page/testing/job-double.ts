import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Job, JobService, Schedule } from "@headwater/proto/connect/headwater/v1/job";
import { JobSchema, JobState } from "@headwater/proto/connect/headwater/v1/job";

const endedStates: readonly JobState[] = [JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED];

/** Jobs in memory, which the tests move on; those who watch one hear of it. */
export class JobDouble {
  /** Newest first. */
  readonly jobs: Job[] = [];
  readonly schedules = new Map<string, Schedule>();
  #changed = Promise.withResolvers<void>();

  move(id: string, change: MessageInitShape<typeof JobSchema>): Job {
    const index = this.jobs.findIndex((job) => job.id === id);
    const before = this.jobs[index];
    if (!before) throw new ConnectError("There is no such job.", Code.NotFound);
    const after = Object.assign(create(JobSchema, change), {
      ...{ id, kind: before.kind, createdTime: before.createdTime, maxAttempts: before.maxAttempts },
      owner: before.owner,
      ...(before.input ? { input: before.input } : {}),
    });
    this.jobs[index] = after;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    return after;
  }

  service(): ServiceImpl<typeof JobService> {
    return {
      submitJob: ({ kind, input }) => {
        const job = create(JobSchema, {
          ...{ id: `job-${this.jobs.length + 1}`, kind, state: JobState.QUEUED, maxAttempts: 3 },
          ...{ owner: "default", createdTime: timestampFromDate(new Date()) },
          ...(input ? { input } : {}),
        });
        this.jobs.unshift(job);
        return { job };
      },
      getJob: ({ id }) => ({ job: this.#find(id) }),
      listJobs: () => ({ jobs: this.jobs }),
      cancelJob: ({ id }) => ({ job: this.move(id, { state: JobState.CANCELLED }) }),
      retryJob: ({ id }) => ({ job: this.move(id, { state: JobState.QUEUED, attempts: 1 }) }),
      watchJob: ({ id }, { signal }) => this.#watch(id, signal),
      setSchedule: ({ schedule }) => {
        if (!schedule) return {};
        this.schedules.set(schedule.name, schedule);
        return { schedule };
      },
      listSchedules: () => ({ schedules: [...this.schedules.values()] }),
      deleteSchedule: ({ name }) => {
        this.schedules.delete(name);
        return {};
      },
    };
  }

  #find(id: string): Job {
    const job = this.jobs.find((other) => other.id === id);
    if (!job) throw new ConnectError("There is no such job.", Code.NotFound);
    return job;
  }

  async *#watch(id: string, signal: AbortSignal) {
    const left = new Promise<void>((done) => signal.addEventListener("abort", () => done(), { once: true }));
    let before: Job | undefined;
    while (!signal.aborted) {
      const { promise } = this.#changed;
      const job = this.#find(id);
      if (job !== before) yield { job };
      before = job;
      if (endedStates.includes(job.state)) return;
      await Promise.race([promise, left]);
    }
  }
}
