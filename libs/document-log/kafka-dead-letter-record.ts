import type { DeadLetter, DeadLetterFailure, LogRecord, NewLogRecord } from "./document-log.ts";

/** Of the headers that a letter has on top of its record's own. */
const prefix = "headwater-dead-letter-";
/** Of a mark that a letter has been replayed: the letter's id. */
const replayedHeader = `${prefix}replayed`;
/** Digits of an id, so that ids sort as text; 16 hold every safe integer. */
const idDigits = 16;

/** A letter's place in the topic of dead letters is its id: it sorts by time of giving up. */
export function idOf(offset: number): string {
  return String(offset).padStart(idDigits, "0");
}

/** undefined where the text is no id. */
export function offsetOf(id: string): number | undefined {
  return /^\d{16}$/.test(id) ? Number(id) : undefined;
}

/** Key and value are the record's own, so that any tool can read them; why it was given up stands in headers. */
export function toLetter(record: LogRecord, failure: DeadLetterFailure, failedAt: number): NewLogRecord {
  const reasons = {
    stage: failure.stage,
    reason: failure.reason,
    message: failure.message,
    attempts: String(failure.attempts),
    partition: String(record.partition),
    offset: String(record.offset),
    timestamp: String(record.timestamp),
    "failed-at": String(failedAt),
  };
  const named = Object.entries(reasons).map(([name, value]) => [prefix + name, value]);
  return {
    key: record.key,
    value: record.value,
    headers: { ...ownHeaders(record.headers), ...Object.fromEntries(named) },
  };
}

/** @returns undefined where the record is a mark, or was put there by somebody else */
export function fromLetter(record: LogRecord): DeadLetter | undefined {
  const header = (name: string) => record.headers[prefix + name] ?? "";
  const origin = originOf(record);
  if (!origin) return undefined;
  return {
    id: idOf(record.offset),
    ...{ stage: header("stage"), reason: header("reason"), message: header("message") },
    attempts: Number(header("attempts")),
    failedAt: Number(header("failed-at")),
    record: {
      ...{ key: record.key, value: record.value, headers: ownHeaders(record.headers) },
      ...origin,
      timestamp: Number(header("timestamp")),
    },
  };
}

/** Where the record of a letter stood in the log; undefined for anything but a letter. */
export function originOf({ headers }: LogRecord): { partition: number; offset: number } | undefined {
  const [partition, offset] = [headers[`${prefix}partition`], headers[`${prefix}offset`]];
  if (partition === undefined || offset === undefined) return undefined;
  return { partition: Number(partition), offset: Number(offset) };
}

/** Takes the place of removing the letter, which a topic cannot. */
export function toReplayedMark(letter: DeadLetter): NewLogRecord {
  return { key: letter.record.key, value: null, headers: { [replayedHeader]: letter.id } };
}

/** The letter that a mark is about; undefined for anything but a mark. */
export function replayedLetter({ headers }: LogRecord): number | undefined {
  return offsetOf(headers[replayedHeader] ?? "");
}

function ownHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(prefix)));
}
