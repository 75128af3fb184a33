import { setTimeout as delay } from "node:timers/promises";
import type { LogConsumer, LogPosition } from "@headwater/document-log";
import { GroupCommit } from "../batching/group-commit.ts";
import { OffsetTracker } from "./offset-tracker.ts";
import type { Trouble } from "./trouble.ts";

/**
 * Milliseconds that a commit waits for more while other documents are under way: each one syncs the disk, and a crash
 * costs no more than looking again.
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
  readonly #group: GroupCommit<LogPosition, void>;

  constructor(consumer: LogConsumer, trouble: Trouble) {
    this.#consumer = consumer;
    this.#trouble = trouble;
    const { signal } = this.#closing;
    this.#group = new GroupCommit({
      maxItems: maxUncommitted,
      maxWeight: maxUncommitted,
      weigh: () => 1,
      lingerMs: gatherMs,
      nothingElse: () => signal.aborted || this.#tracker.underWay === 0,
      commit: async (done) => {
        // Called off only by `close`, which tries once more.
        await trouble.patiently("log", signal, () => this.#commit()).catch(() => {});
        return done.map(() => undefined);
      },
    });
  }

  received(position: LogPosition): void {
    this.#tracker.received(position);
  }

  done(position: LogPosition): void {
    this.#tracker.done(position);
    void this.#group.add(position);
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
    this.#group.poke();
    await this.#group.drain();
    try {
      await this.#commit();
    } catch (thrown) {
      this.#trouble.note("log", thrown);
    }
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
