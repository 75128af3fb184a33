import { HeadwaterError, isTlsFault, status } from "@headwater/errors";
import { fromSql } from "./sql-error.ts";

/**
 * SQLSTATEs that say that this server, or this connection, cannot serve: broken connections, shutdown and crash, no
 * room for a connection, and a server that has become a standby.
 */
const serverGone = /^(08...|57P0.|53300|25006|25P03)$/;
const statementCancelled = "57014";

/** What pg threw, as a HeadwaterError; see `fromSql`. Not from the server means: the way to it is broken. */
export function fromPostgres(thrown: unknown): HeadwaterError {
  if (thrown instanceof HeadwaterError) return thrown;
  const code = codeOf(thrown);
  if (code === statementCancelled) return tooSlow(thrown);
  if (/^[0-9A-Z]{5}$/.test(code) && !code.startsWith("E")) {
    return serverGone.test(code)
      ? postgresUnavailable(sayingOf(code), fromSql(thrown).cause)
      : fromSql(thrown);
  }
  const message = thrown instanceof Error ? thrown.message : "";
  if (message === "timeout exceeded when trying to connect") return poolExhausted();
  if (message === "Query read timeout") return tooSlow(thrown);
  if (isTlsFault(thrown) || message.includes("does not support SSL")) return tlsFailed(thrown);
  if (
    /^E[A-Z]/.test(code) ||
    message.startsWith("Connection terminated") ||
    message.includes("not queryable")
  )
    return postgresUnavailable("cannot be reached", thrown);
  return fromSql(thrown);
}

export function postgresUnavailable(what: string, cause: unknown): HeadwaterError {
  return new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_POSTGRES_UNAVAILABLE",
    message: `PostgreSQL ${what}.`,
    action: postgresAction,
    cause,
  });
}

export const postgresAction =
  "Check that it runs and that HEADWATER_POSTGRES_URL is right; work goes on by itself.";

/** True where the statement was undone as a whole because of another's: running it again may succeed. */
export function isConflict(thrown: unknown): boolean {
  return thrown instanceof HeadwaterError && thrown.reason === "HW_RECORDS_CONFLICT";
}

function sayingOf(sqlState: string): string {
  if (sqlState === "53300") return "has no room for a further connection";
  if (sqlState === "25006") return "takes no writes at present";
  return "has ended the connection";
}

function tooSlow(cause: unknown): HeadwaterError {
  return new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_POSTGRES_TOO_SLOW",
    message: "PostgreSQL did not finish a statement in time.",
    action: "Look at its load and its locks, or raise HEADWATER_POSTGRES_STATEMENT_TIMEOUT_MS.",
    cause,
  });
}

function poolExhausted(): HeadwaterError {
  return new HeadwaterError({
    code: status.RESOURCE_EXHAUSTED,
    reason: "HW_POSTGRES_POOL_EXHAUSTED",
    message: "All connections to PostgreSQL are in use.",
    action: "Try again; raise HEADWATER_POSTGRES_POOL if it comes back.",
    retryAfterMs: 1000,
  });
}

function tlsFailed(cause: unknown): HeadwaterError {
  return new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: "HW_POSTGRES_TLS_FAILED",
    message: "TLS with PostgreSQL could not be set up.",
    action: "Check the server's certificate and HEADWATER_POSTGRES_CA_FILE, or whether it speaks TLS at all.",
    cause,
  });
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? thrown.code : "";
}

/** @returns what is thrown where work passed over the failure of one of its statements and wanted to commit */
export function transactionFailed(): HeadwaterError {
  return new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: "HW_RECORDS_ROLLED_BACK",
    message: "The transaction was rolled back, as one of its statements had failed.",
  });
}
