import type { LogRecord } from "./document-log.ts";

/**
 * On the records of replayed dead letters: the unix milliseconds at which the record was first appended. An event that
 * carries no version takes its own from that time; appended again it must not pass for newer than what came since.
 */
export const firstAppendedHeader = "headwater-first-appended";

export function replayHeaders({ headers, timestamp }: LogRecord): Record<string, string> {
  return { ...headers, [firstAppendedHeader]: headers[firstAppendedHeader] ?? String(timestamp) };
}

/** Unix milliseconds at which the record was appended, before any replay. */
export function firstAppended({ headers, timestamp }: LogRecord): number {
  const first = headers[firstAppendedHeader];
  return first !== undefined && /^\d{1,15}$/.test(first) ? Number(first) : timestamp;
}
