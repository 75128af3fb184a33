import { openRecordStore } from "@headwater/record-store";
import type { GenerationConfig } from "./config.ts";
import { JobQueue } from "./jobs/job-queue.ts";
import { migrations } from "./migrations.ts";

/**
 * Makes what generation needs where it keeps things, and leaves what is there as it is: the schema of its records, and
 * that of the queue of jobs. For a job that runs before the services, with rights that they need not have; to repeat it
 * is harmless.
 *
 * @param onError told what went wrong in the background and is tried again
 * @throws HeadwaterError UNAVAILABLE where the server cannot be reached, FAILED_PRECONDITION where it refuses
 */
export async function prepareGeneration(
  { records, recordsFolder }: Pick<GenerationConfig, "records" | "recordsFolder">,
  onError: (thrown: unknown) => void,
): Promise<void> {
  const store = await openRecordStore(records, { folder: recordsFolder, schema: "generation", onError });
  try {
    await store.migrate(migrations);
    // The queues are rows, which the service writes: their kinds are what it has workers for.
    const queue = await JobQueue.open(store, [], onError);
    await queue.close(0);
    await store.checkHealth();
  } finally {
    await store.close();
  }
}
