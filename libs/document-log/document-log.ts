/** A record that is not yet in the log. */
export interface NewLogRecord {
  /** `tenant/id`; equal keys share a partition, in order of appending. */
  readonly key: string;
  /** Serialised DocumentEvent; null is a tombstone, which deletes the document of that key. */
  readonly value: Uint8Array | null;
  /** Trace context and the like; never content. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Where a record stands. */
export interface LogPosition {
  readonly partition: number;
  /** From 0, without gaps on the embedded adapter; Kafka may leave gaps. */
  readonly offset: number;
}

export interface LogRecord extends NewLogRecord, LogPosition {
  /** Unix milliseconds at which it was appended. */
  readonly timestamp: number;
}

export interface PartitionLag {
  readonly partition: number;
  /** Offset that the next appended record will get. */
  readonly endOffset: number;
  /** Offset of the first record that the group has not committed. */
  readonly committedOffset: number;
}

/** Why a record was given up. */
export interface DeadLetterFailure {
  /** "read", "parse", "chunk", "embed" or "index". */
  readonly stage: string;
  /** HW_… */
  readonly reason: string;
  readonly message: string;
  readonly attempts: number;
}

export interface DeadLetter extends DeadLetterFailure {
  /** Opaque; sorts by time of giving up. */
  readonly id: string;
  /** The record as it was, with its original partition and offset. */
  readonly record: LogRecord;
  /** Unix milliseconds. */
  readonly failedAt: number;
}

export interface DeadLetterPage {
  /** Newest first. */
  readonly deadLetters: readonly DeadLetter[];
  /** For the next page; undefined after the last. */
  readonly next: string | undefined;
}

/**
 * Reads the partitions that its group assigned to it. Pulled, not pushed: a consumer that does not ask gets nothing,
 * which is the back-pressure of the whole pipeline.
 */
export interface LogConsumer {
  /**
   * The next records of the assigned partitions, in order within each partition, at most `maxRecords` and about
   * `maxBytes` (always at least one record). Waits until there is one.
   *
   * @throws AbortError when `signal` fires
   */
  receive(
    limits: { maxRecords: number; maxBytes: number },
    signal: AbortSignal,
  ): Promise<readonly LogRecord[]>;
  /**
   * Everything below `offset` in `partition` is done: a consumer that starts later begins there. Durable on return.
   * Ignored for a partition that was meanwhile given to another consumer.
   */
  commit(position: LogPosition): Promise<void>;
  /**
   * Called when partitions are taken away, before another consumer gets them: work on their records should stop.
   * Records received and not committed are delivered again, to the new owner.
   */
  onRevoked(listener: (partitions: readonly number[]) => void): void;
  /** Leaves the group; its partitions go to the others. */
  close(): Promise<void>;
}

/**
 * Port: the durable, partitioned log of document events. At-least-once: a record is delivered until its group has
 * committed past it.
 */
export interface DocumentLog {
  readonly partitions: number;
  /** Durable (survives `kill -9`) when it resolves; positions in the order of `records`. All or none. */
  append(records: readonly NewLogRecord[]): Promise<readonly LogPosition[]>;
  /** Joins a consumer group. A group's partitions are shared among its consumers, each with one owner at a time. */
  subscribe(group: string): Promise<LogConsumer>;
  /** One entry a partition, in order. */
  lag(group: string): Promise<readonly PartitionLag[]>;
  /**
   * The group begins again at the first record that is kept: whatever it has done, it may have been undone since, such
   * as by a restore from a backup.
   *
   * @throws HeadwaterError FAILED_PRECONDITION, HW_LOG_GROUP_IN_USE, while the group has consumers
   */
  rewind(group: string): Promise<void>;
  /** Records that a record was given up; durable when it resolves. The record itself is kept, so it can be replayed. */
  addDeadLetter(record: LogRecord, failure: DeadLetterFailure): Promise<void>;
  /** @param tenant only keys of this tenant; undefined: of all */
  listDeadLetters(query: { tenant?: string; limit: number; after?: string }): Promise<DeadLetterPage>;
  countDeadLetters(tenant?: string): Promise<number>;
  /**
   * Appends the records of dead letters again and removes the letters, in one step.
   *
   * @param ids undefined: all of the tenant
   * @returns how many
   */
  replayDeadLetters(query: { tenant: string; ids?: readonly string[] }): Promise<number>;
  /** @throws HeadwaterError UNAVAILABLE when the log cannot be reached */
  checkHealth(): Promise<void>;
  close(): Promise<void>;
}

/** Key of a document's records. Neither part may be empty, and a tenant holds no "/". */
export function recordKey(tenant: string, documentId: string): string {
  return `${tenant}/${documentId}`;
}

/** The way back from `recordKey`; undefined where the key has not that form. */
export function parseRecordKey(key: string): { tenant: string; documentId: string } | undefined {
  const slash = key.indexOf("/");
  if (slash < 1 || slash === key.length - 1) return undefined;
  return { tenant: key.slice(0, slash), documentId: key.slice(slash + 1) };
}
