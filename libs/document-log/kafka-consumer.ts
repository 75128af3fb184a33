import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError, invalidArgument } from "@headwater/errors";
import type { Cluster } from "kafkajs";
import { consumerClosed, refuseWhenAborted } from "./consumer-error.ts";
import type { LogConsumer, LogPosition, LogRecord } from "./document-log.ts";
import { fromKafka, isGenerationOver, isMembershipLost, unavailable } from "./kafka-error.ts";
import { KafkaFetcher } from "./kafka-fetcher.ts";
import { KafkaMembership } from "./kafka-membership.ts";
import type { PartitionBuffer } from "./kafka-partition-buffer.ts";
import type { ReceiveLimits } from "./take-in-turns.ts";
import { Wakeups } from "./wakeups.ts";

type RevokedListener = (partitions: readonly number[]) => void;

export interface KafkaConsumerOptions {
  /** This consumer's own; closed with it. */
  readonly cluster: Cluster;
  readonly group: string;
  readonly topic: string;
  readonly partitions: number;
  /** Milliseconds without a sign of life after which the partitions go to others. */
  readonly sessionTimeoutMs: number;
  /** Milliseconds that a commit may take, a rebalance included. */
  readonly requestTimeoutMs: number;
  readonly onClosed: () => void;
  readonly onError: (error: HeadwaterError) => void;
}

interface Owned {
  readonly buffer: PartitionBuffer;
  /** What the group has committed, as far as this consumer knows. */
  committed: number;
}

/** Milliseconds between two heartbeats; also how soon a member hears that the group shares its partitions anew. */
const heartbeatMs = 500;
const retryMs = { first: 200, longest: 2_000 };
/** Milliseconds for leaving; a group that does not hear of it takes the partitions after the session timeout. */
const leaveTimeoutMs = 3_000;

/**
 * One consumer of a group. Membership and fetching go on by themselves, whether or not anybody asks for records, so a
 * consumer that works on its records for minutes keeps its partitions.
 */
export class KafkaConsumer implements LogConsumer {
  readonly #options: KafkaConsumerOptions;
  readonly #membership: KafkaMembership;
  readonly #fetcher: KafkaFetcher;
  readonly #owned = new Map<number, Owned>();
  readonly #listeners: RevokedListener[] = [];
  readonly #closing = new AbortController();
  /** When partitions have been shared anew. */
  readonly #adoptions = new Wakeups();
  readonly #running: Promise<void>;
  /** Runs out when the group has not heard of this consumer for a session timeout. */
  #session: NodeJS.Timeout | undefined;
  /** True where the session ran out: what the group gave has to be asked for again. */
  #expired = false;
  #lastError: HeadwaterError | undefined;
  #committing: Promise<void> = Promise.resolve();

  private constructor(options: KafkaConsumerOptions) {
    this.#options = options;
    this.#membership = new KafkaMembership(options);
    this.#fetcher = new KafkaFetcher({
      cluster: options.cluster,
      topic: options.topic,
      onError: options.onError,
      onGap: (buffer) => this.#commitGap(buffer),
    });
    this.#running = this.#run();
  }

  /**
   * Waits until the group has taken it in, which takes up to a session timeout where a member has died.
   *
   * @throws HeadwaterError UNAVAILABLE
   */
  static async join(options: KafkaConsumerOptions): Promise<KafkaConsumer> {
    const { cluster, topic, sessionTimeoutMs, requestTimeoutMs } = options;
    try {
      await cluster.connect();
      await cluster.addTargetTopic(topic);
    } catch (thrown) {
      await cluster.disconnect();
      throw fromKafka(thrown);
    }
    const consumer = new KafkaConsumer(options);
    const deadline = AbortSignal.timeout(sessionTimeoutMs + requestTimeoutMs);
    await consumer.#adoptions.wait(0, deadline, consumer.#closing.signal);
    if (consumer.#adoptions.count > 0) return consumer;
    await consumer.close();
    throw consumer.#lastError ?? unavailable("The consumer group does not answer.", "Try again.");
  }

  async receive(limits: ReceiveLimits, signal: AbortSignal): Promise<readonly LogRecord[]> {
    if (!(limits.maxRecords >= 1))
      throw invalidArgument("HW_LIMIT_INVALID", "maxRecords must be at least 1.");
    const { arrivals } = this.#fetcher;
    while (true) {
      this.#refuseWhenClosed();
      refuseWhenAborted(signal);
      const seen = arrivals.count;
      const records = this.#fetcher.take(limits);
      if (records.length > 0) return records;
      await arrivals.wait(seen, signal, this.#closing.signal);
    }
  }

  commit({ partition, offset }: LogPosition): Promise<void> {
    const owned = this.#owned.get(partition);
    // One after the other: an earlier offset that arrives later would take the group back.
    const commit = this.#committing.then(async () => {
      this.#refuseWhenClosed();
      // Beyond what was handed out: received before the partition went to another consumer and came back.
      if (owned && offset <= owned.buffer.received) await this.#commit(owned, offset);
    });
    this.#committing = commit.catch(() => {});
    return commit;
  }

  onRevoked(listener: RevokedListener): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    clearTimeout(this.#session);
    this.#revoke([...this.#owned.keys()]);
    await Promise.race([this.#leave(), delay(leaveTimeoutMs, undefined, { ref: false })]);
    this.#options.onClosed();
  }

  /** Never rejects. */
  async #leave(): Promise<void> {
    const { cluster, onError } = this.#options;
    try {
      await Promise.all([this.#running, this.#fetcher.close()]);
      await this.#membership.leave();
    } catch (thrown) {
      onError(fromKafka(thrown));
    }
    await cluster.disconnect().catch(() => {
      // Cut off already.
    });
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let pause = retryMs.first;
    while (!signal.aborted) {
      try {
        await this.#join();
        pause = retryMs.first;
        this.#lastError = undefined;
        await this.#keepAlive(signal);
      } catch (thrown) {
        if (signal.aborted) return;
        // The first may be no trouble at all: a coordinator that has moved, or is only just starting.
        if (pause > retryMs.first) this.#report(fromKafka(thrown));
        await delay(pause, undefined, { signal }).catch(() => {});
        pause = Math.min(2 * pause, retryMs.longest);
        await this.#recover();
      }
    }
  }

  /** Takes part in sharing the partitions until this consumer has nothing to give up any more. */
  async #join(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const before = this.#membership.memberId;
      const assigned = await this.#membership.join();
      const joinedAt = performance.now();
      // Expelled meanwhile: whatever was held has had other owners.
      if (this.#membership.memberId !== before) this.#revoke([...this.#owned.keys()]);
      const mine = new Set(assigned);
      const lost = [...this.#owned.keys()].filter((partition) => !mine.has(partition));
      // Before the next join, which sets them free: nobody else works on them while the listener has not heard.
      this.#revoke(lost);
      await this.#adopt(assigned.filter((partition) => !this.#owned.has(partition)));
      this.#prolongSession(joinedAt);
      this.#adoptions.wakeAll();
      if (lost.length === 0) return;
    }
  }

  async #adopt(partitions: readonly number[]): Promise<void> {
    if (partitions.length === 0) return;
    const { cluster, topic } = this.#options;
    const committed = await this.#membership.committed(partitions);
    const unread = partitions.filter((partition) => !committed.has(partition));
    const wanted = unread.map((partition) => ({ partition }));
    const [found] =
      unread.length === 0
        ? []
        : await cluster.fetchTopicsOffset([{ topic, partitions: wanted, fromBeginning: true }]);
    for (const { partition, offset } of found?.partitions ?? []) committed.set(partition, Number(offset));
    for (const [partition, offset] of committed)
      this.#owned.set(partition, { buffer: this.#fetcher.assign(partition, offset), committed: offset });
  }

  /** Until the group shares its partitions anew. */
  async #keepAlive(signal: AbortSignal): Promise<void> {
    while (true) {
      await delay(heartbeatMs, undefined, { signal });
      const askedAt = performance.now();
      const stable = await this.#membership.heartbeat();
      if (!stable || this.#expired) return;
      this.#prolongSession(askedAt);
    }
  }

  /** @param heardAt when the group heard of this consumer, at the earliest: its answer may have been read much later */
  #prolongSession(heardAt: number): void {
    clearTimeout(this.#session);
    if (this.#closing.signal.aborted) return;
    this.#expired = false;
    const left = heardAt + this.#options.sessionTimeoutMs - performance.now();
    this.#session = setTimeout(
      () => {
        this.#expired = true;
        // Others may have the partitions by now.
        this.#revoke([...this.#owned.keys()]);
      },
      Math.max(0, left),
    );
    this.#session.unref();
  }

  /** Never rejects. */
  async #recover(): Promise<void> {
    await this.#options.cluster.refreshMetadata().catch(() => {
      // The next attempt to join meets the same trouble, and has it reported.
    });
  }

  /** A row of equal failures is told once. */
  #report(error: HeadwaterError): void {
    if (this.#lastError?.reason !== error.reason) this.#options.onError(error);
    this.#lastError = error;
  }

  #revoke(partitions: readonly number[]): void {
    for (const partition of partitions) {
      this.#owned.delete(partition);
      this.#fetcher.revoke(partition);
    }
    if (partitions.length === 0) return;
    for (const listener of this.#listeners) listener(partitions);
  }

  async #commit(owned: Owned, offset: number): Promise<void> {
    const { buffer } = owned;
    const { partition } = buffer;
    const deadline = AbortSignal.timeout(this.#options.requestTimeoutMs);
    while (this.#owned.get(partition) === owned) {
      const seen = this.#adoptions.count;
      // All that was handed out is done: so are the marks of transactions behind it.
      const target = offset === buffer.received ? buffer.position : offset;
      if (target <= owned.committed) return;
      try {
        await this.#membership.commit(partition, target);
        owned.committed = target;
        return;
      } catch (thrown) {
        if (!isGenerationOver(thrown) && !isMembershipLost(thrown)) throw fromKafka(thrown);
        // Whose the partition is will be known after the rebalance.
        await this.#adoptions.wait(seen, deadline, this.#closing.signal);
        this.#refuseWhenClosed();
        if (deadline.aborted)
          throw unavailable("The consumer group is being shared anew.", "Try again.", thrown);
      }
    }
  }

  /** So that a group that has done everything has no lag, though a transaction left its mark at the end. */
  #commitGap({ partition, received }: PartitionBuffer): void {
    if (this.#owned.get(partition)?.committed !== received || this.#closing.signal.aborted) return;
    this.commit({ partition, offset: received }).catch((thrown: unknown) => {
      if (!this.#closing.signal.aborted) this.#options.onError(HeadwaterError.from(thrown));
    });
  }

  #refuseWhenClosed(): void {
    if (this.#closing.signal.aborted) throw consumerClosed();
  }
}
