import type { HeadwaterErrorOptions } from "@headwater/errors";
import { HeadwaterError, status } from "@headwater/errors";

/** Primary result codes of SQLite (https://sqlite.org/rescode.html). */
const sqlite = {
  busy: 5,
  locked: 6,
  readonly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
};

const unreadable: HeadwaterErrorOptions = {
  code: status.DATA_LOSS,
  reason: "HW_LOG_CORRUPT",
  message: "The document log on disk is damaged.",
  action: "Restore the folder log/ of HEADWATER_DATA_DIR from a backup.",
};

const forbidden: HeadwaterErrorOptions = {
  code: status.FAILED_PRECONDITION,
  reason: "HW_FILE_FORBIDDEN",
  message: "The document log on disk may not be opened or written.",
  action: "Check the owner and the rights of HEADWATER_DATA_DIR.",
};

const errors: Readonly<Record<number, HeadwaterErrorOptions>> = {
  [sqlite.busy]: {
    code: status.UNAVAILABLE,
    reason: "HW_LOG_BUSY",
    message: "Another process holds the document log.",
    action: "Try again; if it stays, look for a stopped process that has the log open.",
  },
  [sqlite.locked]: {
    code: status.UNAVAILABLE,
    reason: "HW_LOG_BUSY",
    message: "The document log is locked.",
    action: "Try again.",
  },
  [sqlite.io]: {
    code: status.UNAVAILABLE,
    reason: "HW_DISK_FAILED",
    message: "The disk under the document log failed to read or write.",
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

/** What SQLite threw, as a HeadwaterError. */
export function fromSqlite(thrown: unknown): HeadwaterError {
  const known = errors[resultCode(thrown)];
  return known ? new HeadwaterError({ ...known, cause: thrown }) : HeadwaterError.from(thrown);
}

/** True where another connection holds the lock and trying again can help. */
export function isBusy(thrown: unknown): boolean {
  return resultCode(thrown) === sqlite.busy;
}

/** The low byte of an extended result code is the primary one; 0 where it is no error of SQLite. */
function resultCode(thrown: unknown): number {
  if (!(thrown instanceof Error) || !("errcode" in thrown) || typeof thrown.errcode !== "number") return 0;
  return thrown.errcode & 0xff;
}
