import type { RecordStore } from "@headwater/record-store";
import { JobQueue } from "./job-queue.ts";
import { JobStore } from "./job-store.ts";
import { keyOf, ScheduleStore } from "./schedule-store.ts";

/** Milliseconds for the queue to end what it does by itself. */
const graceMs = 2000;

/**
 * Makes the queue of jobs anew: those that have not ended wait in it, and schedules are kept. A job that ran begins
 * again, as after the death of its process. To repeat it is harmless.
 *
 * @param onError told of what went wrong where nobody waits for it; the queue goes on
 * @returns how many jobs wait
 */
export async function restoreQueue(
  records: RecordStore,
  onError: (thrown: unknown) => void,
): Promise<number> {
  const jobs = new JobStore(records);
  const schedules = await new ScheduleStore(records).all();
  const kinds = new Set([...(await jobs.pendingKinds()), ...schedules.map(({ kind }) => kind)]);
  await JobQueue.drop(records);
  const queue = await JobQueue.open(records, [...kinds], onError);
  try {
    for (const schedule of schedules) {
      const { tenant, owner, kind, input } = schedule;
      await queue.setSchedule(keyOf(schedule), schedule, { schedule: { tenant, owner, kind, input } });
    }
    return await jobs.requeue((job, queries) => queue.send(job.kind, job, queries));
  } finally {
    await queue.close(graceMs);
  }
}
