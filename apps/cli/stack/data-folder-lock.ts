import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { HeadwaterError, status } from "@headwater/errors";

/** Held while a process uses a data folder. */
export interface DataFolderLock {
  release(): void;
}

/**
 * Takes a data folder for this process. The lock is SQLite's exclusive file lock, so the system itself lets go of it
 * when a process dies, even by `kill -9`; nothing has to be cleaned up and nothing can be stale.
 *
 * @throws HeadwaterError FAILED_PRECONDITION, HW_DATA_FOLDER_IN_USE when another process has it
 */
export function lockDataFolder(folder: string): DataFolderLock {
  mkdirSync(folder, { recursive: true });
  const owner = join(folder, "owner");
  const database = new DatabaseSync(join(folder, "lock"));
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    throw new HeadwaterError({
      code: status.FAILED_PRECONDITION,
      reason: "HW_DATA_FOLDER_IN_USE",
      message: `The data folder ${folder} is in use by another Headwater${processOf(owner)}.`,
      action: "Use the one that runs, stop it first, or name another folder in HEADWATER_DATA_DIR.",
      cause,
    });
  }
  writeFileSync(owner, String(process.pid));
  return { release: () => database.close() };
}

function processOf(owner: string): string {
  try {
    return ` (process ${readFileSync(owner, "utf8").trim()})`;
  } catch {
    // The other process has the lock but has not yet written its id.
    return "";
  }
}
