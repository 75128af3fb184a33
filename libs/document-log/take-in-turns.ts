import type { LogRecord } from "./document-log.ts";

export interface ReceiveLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
}

/**
 * Takes records of several partitions: each gives at most its share of the room, what is left goes to those that have
 * more. About `maxBytes`, but at least one record where there is one.
 *
 * @param turn counts the calls, so that each begins with another partition
 * @param read the next records of a partition, which are then behind it; at least one where there is one
 */
export function takeInTurns(
  partitions: readonly number[],
  turn: number,
  limits: ReceiveLimits,
  read: (partition: number, limits: ReceiveLimits) => readonly LogRecord[],
): LogRecord[] {
  if (partitions.length === 0) return [];
  const start = turn % partitions.length;
  const order = [...partitions.slice(start), ...partitions.slice(0, start)];
  const taken: LogRecord[] = [];
  let bytes = 0;
  for (const share of [Math.ceil(limits.maxRecords / order.length), limits.maxRecords]) {
    for (const partition of order) {
      const room = Math.min(share, limits.maxRecords - taken.length);
      if (room <= 0 || (taken.length > 0 && bytes >= limits.maxBytes)) continue;
      const records = read(partition, { maxRecords: room, maxBytes: Math.max(1, limits.maxBytes - bytes) });
      for (const record of records) bytes += record.value?.length ?? 0;
      taken.push(...records);
    }
  }
  return taken;
}
