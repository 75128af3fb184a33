import type { LogRecord } from "./document-log.ts";
import type { FetchedMessage } from "./kafka-internals.ts";

/** A record as Kafka gave it; a key or a header that is not UTF-8 keeps replacement characters in place of it. */
export function toLogRecord(partition: number, message: FetchedMessage): LogRecord {
  return {
    partition,
    offset: Number(message.offset),
    timestamp: Number(message.timestamp),
    key: message.key?.toString("utf8") ?? "",
    value: message.value,
    headers: textHeaders(message.headers),
  };
}

/** Where a header is there more than once, the last counts. */
function textHeaders(headers: FetchedMessage["headers"]): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, header] of Object.entries(headers)) {
    const last = Array.isArray(header) ? header.at(-1) : header;
    if (last !== undefined && last !== null) texts[name] = last.toString();
  }
  return texts;
}
