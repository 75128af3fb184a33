import type { HeadwaterErrorOptions } from "@headwater/errors";
import { HeadwaterError, status } from "@headwater/errors";
import { resultCode, sqlite } from "./result-code.ts";
import type { SqliteOwner } from "./sqlite-owner.ts";

function errorsOf({ name, folder, reasons }: SqliteOwner): Readonly<Record<number, HeadwaterErrorOptions>> {
  const unreadable: HeadwaterErrorOptions = {
    code: status.DATA_LOSS,
    reason: reasons.corrupt,
    message: `The ${name} on disk is damaged.`,
    action: `Restore the folder ${folder} of HEADWATER_DATA_DIR from a backup.`,
  };
  const forbidden: HeadwaterErrorOptions = {
    code: status.FAILED_PRECONDITION,
    reason: "HW_FILE_FORBIDDEN",
    message: `The ${name} on disk may not be opened or written.`,
    action: "Check the owner and the rights of HEADWATER_DATA_DIR.",
  };
  return {
    [sqlite.busy]: {
      code: status.UNAVAILABLE,
      reason: reasons.busy,
      message: `Another process holds the ${name}.`,
      action: "Try again; if it stays, look for a stopped process that has it open.",
    },
    [sqlite.locked]: {
      code: status.UNAVAILABLE,
      reason: reasons.busy,
      message: `The ${name} is locked.`,
      action: "Try again.",
    },
    [sqlite.io]: {
      code: status.UNAVAILABLE,
      reason: "HW_DISK_FAILED",
      message: `The disk under the ${name} failed to read or write.`,
      action: "Check the volume of HEADWATER_DATA_DIR.",
    },
    [sqlite.full]: {
      code: status.UNAVAILABLE,
      reason: "HW_DISK_FULL",
      message: "The disk is full.",
      action: "Free space on the volume of HEADWATER_DATA_DIR; work goes on by itself.",
    },
    [sqlite.readonly]: forbidden,
    [sqlite.cannotOpen]: forbidden,
    [sqlite.corrupt]: unreadable,
    [sqlite.notADatabase]: unreadable,
  };
}

/** What SQLite threw, as a HeadwaterError. */
export function fromSqlite(thrown: unknown, owner: SqliteOwner): HeadwaterError {
  const known = errorsOf(owner)[resultCode(thrown)];
  return known ? new HeadwaterError({ ...known, cause: thrown }) : HeadwaterError.from(thrown);
}

/** True where another connection holds the lock and trying again can help. */
export function isBusy(thrown: unknown): boolean {
  return resultCode(thrown) === sqlite.busy;
}
