import type { KeptRecords } from "@headwater/record-store";
import { migrations } from "./migrations.ts";

export { restoreQueue } from "./jobs/restore-queue.ts";

/** What a backup keeps of generation's records: all but which processes run turns. Its job queue is made of the jobs. */
export const keptRecords: KeptRecords = { schema: "generation", migrations, leftOut: ["turn_processes"] };
