import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import type { LogConsumer, LogPosition } from "@headwater/document-log";
import { OffsetTracker } from "./offset-tracker.ts";
import type { Trouble } from "./trouble.ts";

/**
 * Milliseconds from one commit to the next: each one syncs the disk, and a crash costs no more than looking again. What
 * is done after a pause is committed at once.
 */
const gatherMs = 50;
/** Records done behind one that is not, beyond which nothing more is received. */
const maxUncommitted = 100_000;

/** Commits offsets behind the documents that are done, in order, few at a time. */
export class Committer {
  readonly #consumer: LogConsumer;
  readonly #trouble: Trouble;
  readonly #tracker = new OffsetTracker();
  /** Partition → offset that is to be committed. */
  readonly #pending = new Map<number, number>();
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;
  #dirty = false;
  /** By `performance.now()`. */
  #lastCommit = Number.NEGATIVE_INFINITY;

  constructor(consumer: LogConsumer, trouble: Trouble) {
    this.#consumer = consumer;
    this.#trouble = trouble;
  }

  received(position: LogPosition): void {
    this.#tracker.received(position);
  }

  done(position: LogPosition): void {
    this.#tracker.done(position);
    this.#dirty = true;
    this.#running ??= this.#run();
  }

  drop(partition: number): void {
    this.#tracker.drop(partition);
    this.#pending.delete(partition);
  }

  /** Waits while a slow document holds back too many commits. @throws AbortError when `signal` fires */
  async room(signal: AbortSignal): Promise<void> {
    while (this.#tracker.size > maxUncommitted) await delay(gatherMs, undefined, { signal });
  }

  /** Commits what is done; what fails now is delivered again, which does no harm. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    try {
      await this.#commit();
    } catch (thrown) {
      this.#trouble.note("log", thrown);
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (this.#dirty && !signal.aborted) {
      const early = this.#lastCommit + gatherMs - performance.now();
      if (early > 0) await delay(early, undefined, { signal }).catch(() => {});
      // Documents that were settled together are done in one turn of the event loop.
      await nextTurn();
      if (signal.aborted) break;
      this.#dirty = false;
      this.#lastCommit = performance.now();
      // Called off only by `close`, which tries once more.
      await this.#trouble.patiently("log", signal, () => this.#commit()).catch(() => {});
    }
    // In the same step as the look at what is dirty: what is done from now on begins anew.
    this.#running = undefined;
  }

  async #commit(): Promise<void> {
    for (const { partition, offset } of this.#tracker.take()) this.#pending.set(partition, offset);
    // At one time: the log syncs the disk once for all of them.
    const commits = [...this.#pending].map(async ([partition, offset]) => {
      await this.#consumer.commit({ partition, offset });
      if (this.#pending.get(partition) === offset) this.#pending.delete(partition);
    });
    await Promise.all(commits);
  }
}
