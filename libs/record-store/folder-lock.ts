import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { HeadwaterError, status } from "@headwater/errors";

/**
 * Holds a folder for this process: a second opener would destroy the data. The lock is one of the operating system on
 * an SQLite file, so it ends with the process, however that ends, and leaves nothing stale behind.
 *
 * @returns lets go
 * @throws HeadwaterError FAILED_PRECONDITION where another process, or this one, holds it
 */
export function lockFolder(folder: string): () => void {
  const database = new DatabaseSync(join(folder, "lock.sqlite"), { timeout: 0 });
  try {
    database.exec("PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE");
  } catch (thrown) {
    database.close();
    throw new HeadwaterError({
      code: status.FAILED_PRECONDITION,
      reason: "HW_RECORDS_IN_USE",
      message: "The record store is in use by another process.",
      action: "Stop the other process, or choose another HEADWATER_DATA_DIR.",
      cause: thrown,
    });
  }
  return () => database.close();
}
