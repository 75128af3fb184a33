import type { Code, HeadwaterErrorOptions } from "@headwater/errors";
import { HeadwaterError, status } from "@headwater/errors";

interface Meaning {
  readonly code: Code;
  readonly reason: `HW_${string}`;
  readonly message: string;
  readonly action?: string;
}

/** By SQLSTATE, or by its class (first two characters); https://www.postgresql.org/docs/current/errcodes-appendix.html */
const meanings: Readonly<Record<string, Meaning>> = {
  "08": {
    code: status.UNAVAILABLE,
    reason: "HW_RECORDS_UNREACHABLE",
    message: "The record store cannot be reached.",
  },
  "22": {
    code: status.INVALID_ARGUMENT,
    reason: "HW_RECORD_VALUE_INVALID",
    message: "A value does not fit its column.",
  },
  "23": {
    code: status.FAILED_PRECONDITION,
    reason: "HW_RECORD_CONSTRAINT",
    message: "The record breaks a rule of its table.",
  },
  "23505": {
    code: status.ALREADY_EXISTS,
    reason: "HW_RECORD_EXISTS",
    message: "Such a record exists already.",
  },
  "28": {
    code: status.FAILED_PRECONDITION,
    reason: "HW_RECORDS_FORBIDDEN",
    message: "The record store refused the sign-in.",
    action: "Check the user and the password of the database.",
  },
  "3D000": {
    code: status.FAILED_PRECONDITION,
    reason: "HW_RECORDS_FORBIDDEN",
    message: "There is no such database.",
    action: "Make the database, or name another.",
  },
  "40": {
    code: status.ABORTED,
    reason: "HW_RECORDS_CONFLICT",
    message: "Another transaction was in the way.",
  },
  "42501": {
    code: status.FAILED_PRECONDITION,
    reason: "HW_RECORDS_FORBIDDEN",
    message: "The user of the database may not do that.",
    action:
      "Let `headwater prepare` run as a user who may, or grant the rights that docs/operations.md lists.",
  },
  "53": {
    code: status.UNAVAILABLE,
    reason: "HW_RECORDS_OVERLOADED",
    message: "The record store is out of resources.",
  },
  "53100": {
    code: status.UNAVAILABLE,
    reason: "HW_DISK_FULL",
    message: "The disk of the record store is full.",
    action: "Free space on its volume; work goes on by itself.",
  },
  "57": {
    code: status.UNAVAILABLE,
    reason: "HW_RECORDS_UNREACHABLE",
    message: "The record store is not available.",
  },
  "57014": { code: status.CANCELLED, reason: "HW_CANCELLED", message: "The statement was cancelled." },
};

const unknown: Meaning = {
  code: status.INTERNAL,
  reason: "HW_RECORDS_FAILED",
  message: "The record store failed to run a statement.",
  action: "Look for this request id in the logs, and open an issue if it comes back.",
};

/**
 * What a PostgreSQL driver threw, as a HeadwaterError. Messages, details and parameters of the driver's error may
 * hold values of records, so they are left out; SQLSTATE and names of tables, columns and constraints are kept.
 */
export function fromSql(thrown: unknown): HeadwaterError {
  if (thrown instanceof HeadwaterError) return thrown;
  const sqlState = textField(thrown, "code");
  if (sqlState === undefined || !/^[0-9A-Z]{5}$/.test(sqlState)) return fromDriver(thrown);
  const meaning = meanings[sqlState] ?? meanings[sqlState.slice(0, 2)] ?? unknown;
  const where = ["schema", "table", "column", "constraint"].flatMap((name) => {
    const value = textField(thrown, name);
    return value === undefined ? [] : [`${name} ${value}`];
  });
  // Class 42 is about the statement itself, which is ours and holds no values: they are parameters.
  const said = sqlState.startsWith("42") && thrown instanceof Error ? [thrown.message] : [];
  const cause = new Error([`SQLSTATE ${sqlState}`, ...where, ...said].join(", "));
  return new HeadwaterError({ ...(meaning satisfies Omit<HeadwaterErrorOptions, "cause">), cause });
}

/** Not from the server: a parameter that cannot be sent, a connection that broke, a bug. */
function fromDriver(thrown: unknown): HeadwaterError {
  const error = HeadwaterError.from(thrown);
  if (error.reason !== "HW_INTERNAL") return error;
  const cause = new Error(`${thrown instanceof Error ? thrown.name : typeof thrown} in the database driver`);
  if (thrown instanceof Error && thrown.stack) {
    // Where it happened, without what was said.
    cause.stack = `${cause.message}\n${thrown.stack
      .split("\n")
      .filter((line) => /^\s+at /.test(line))
      .join("\n")}`;
  }
  return new HeadwaterError({ ...unknown, cause });
}

function textField(thrown: unknown, name: string): string | undefined {
  if (typeof thrown !== "object" || thrown === null) return undefined;
  const value: unknown = Reflect.get(thrown, name);
  return typeof value === "string" && value !== "" ? value : undefined;
}
