import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import { consumerClosed, refuseWhenAborted } from "./consumer-error.ts";
import type { LogConsumer, LogPosition, LogRecord } from "./document-log.ts";
import type { Assignment, SqliteMembership } from "./sqlite-membership.ts";
import type { SqliteRecords } from "./sqlite-records.ts";
import type { ReceiveLimits } from "./take-in-turns.ts";
import { takeInTurns } from "./take-in-turns.ts";
import type { Wakeups } from "./wakeups.ts";

type RevokedListener = (partitions: readonly number[]) => void;

interface Parts {
  readonly membership: SqliteMembership;
  readonly records: SqliteRecords;
  readonly wakeups: Wakeups;
}

interface Options {
  /** Between two renewals of the lease, in milliseconds. */
  readonly heartbeatMs: number;
  readonly onClosed: () => void;
  /** Told of heartbeats that failed; the next one tries again. */
  readonly onError: (error: HeadwaterError) => void;
}

interface Owned {
  readonly generation: number;
  /** Offset of the next record to hand out. */
  position: number;
}

/** One consumer of a group, on the log's SQLite file. */
export class SqliteConsumer implements LogConsumer {
  readonly #membership: SqliteMembership;
  readonly #records: SqliteRecords;
  readonly #wakeups: Wakeups;
  readonly #onClosed: () => void;
  readonly #owned = new Map<number, Owned>();
  readonly #listeners: RevokedListener[] = [];
  readonly #closing = new AbortController();
  readonly #heartbeat: NodeJS.Timeout;
  #epoch = -1;
  #renewal: Promise<void> | undefined;
  /** Where the next round over the partitions begins. */
  #turn = 0;

  private constructor(parts: Parts, options: Options) {
    this.#membership = parts.membership;
    this.#records = parts.records;
    this.#wakeups = parts.wakeups;
    this.#onClosed = options.onClosed;
    this.#heartbeat = setInterval(() => {
      this.#renew().catch((thrown: unknown) => options.onError(HeadwaterError.from(thrown)));
    }, options.heartbeatMs);
    this.#heartbeat.unref();
  }

  static async join(parts: Parts, options: Options): Promise<SqliteConsumer> {
    const consumer = new SqliteConsumer(parts, options);
    try {
      await consumer.#renew();
      return consumer;
    } catch (thrown) {
      clearInterval(consumer.#heartbeat);
      throw thrown;
    }
  }

  async receive(limits: ReceiveLimits, signal: AbortSignal): Promise<readonly LogRecord[]> {
    if (!(limits.maxRecords >= 1))
      throw invalidArgument("HW_LIMIT_INVALID", "maxRecords must be at least 1.");
    while (true) {
      this.#refuseWhenClosed();
      refuseWhenAborted(signal);
      const seen = this.#wakeups.count;
      if (this.#membership.epoch() !== this.#epoch) {
        await this.#renew();
        continue;
      }
      const records = this.#take(limits);
      if (records.length > 0) return records;
      await this.#wakeups.wait(seen, signal, this.#closing.signal);
    }
  }

  async commit(position: LogPosition): Promise<void> {
    this.#refuseWhenClosed();
    if (position.offset > this.#records.endOffset(position.partition)) {
      throw new HeadwaterError({
        code: status.OUT_OF_RANGE,
        reason: "HW_LOG_OFFSET_UNKNOWN",
        message: `Offset ${position.offset} is beyond the end of partition ${position.partition}.`,
      });
    }
    const owned = this.#owned.get(position.partition);
    // Beyond what was handed out: received before the partition went to another consumer and came back.
    if (!owned || position.offset > owned.position) return;
    await this.#membership.commit(
      { partition: position.partition, generation: owned.generation },
      position.offset,
    );
  }

  onRevoked(listener: RevokedListener): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    clearInterval(this.#heartbeat);
    await this.#renewal?.catch(() => {
      // Whoever asked for the renewal has been told; leaving does not depend on it.
    });
    this.#revoke([...this.#owned.keys()]);
    try {
      await this.#membership.leave();
    } finally {
      this.#wakeups.wakeAll();
      this.#onClosed();
    }
  }

  /** Renews the lease and shares the partitions anew; callers at the same time share one run. */
  #renew(): Promise<void> {
    this.#renewal ??= this.#renewOnce().finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  async #renewOnce(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    const surplus = this.#membership.surplus();
    // Before they are free, so that nobody else works on them while the listener has not heard.
    this.#revoke(surplus);
    const { assignments, epoch } = await this.#membership.renew(surplus);
    this.#adopt(assignments);
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#wakeups.wakeAll();
  }

  #adopt(assignments: readonly Assignment[]): void {
    const generations = new Map(assignments.map(({ partition, generation }) => [partition, generation]));
    const lost = [...this.#owned].filter(
      ([partition, owned]) => generations.get(partition) !== owned.generation,
    );
    this.#revoke(lost.map(([partition]) => partition));
    for (const { partition, generation, committedOffset } of assignments) {
      if (this.#owned.has(partition)) continue;
      this.#owned.set(partition, { generation, position: committedOffset });
    }
  }

  #revoke(partitions: readonly number[]): void {
    const held = partitions.filter((partition) => this.#owned.delete(partition));
    if (held.length === 0) return;
    for (const listener of this.#listeners) listener(held);
  }

  #take(limits: ReceiveLimits): LogRecord[] {
    const partitions = [...this.#owned.keys()].sort((a, b) => a - b);
    return takeInTurns(partitions, this.#turn++, limits, (partition, room) => {
      const owned = this.#owned.get(partition);
      if (!owned) return [];
      const records = this.#records.read(partition, owned.position, room);
      const last = records.at(-1);
      if (last) owned.position = last.offset + 1;
      return records;
    });
  }

  #refuseWhenClosed(): void {
    if (this.#closing.signal.aborted) throw consumerClosed();
  }
}
