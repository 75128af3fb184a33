import { setTimeout as delay } from "node:timers/promises";
import type { Account } from "./account.ts";
import type { Delivery } from "./delivery.ts";
import type { HeldDocument } from "./holdings.ts";
import { sourceAttribute } from "./holdings.ts";
import { isImage, needsOcr } from "./images.ts";
import type { Change, Follower, Source } from "./source.ts";

export interface LibrarianOptions {
  readonly delivery: Delivery;
  readonly account: Account;
  /** What the service holds below a prefix of ids. */
  readonly readHoldings: (idPrefix: string) => Promise<ReadonlyMap<string, HeldDocument>>;
  readonly signal: AbortSignal;
}

/** Keeps what the service holds of a source as the source is. */
export class Librarian {
  readonly #options: LibrarianOptions;
  /** That were sent last, by id. */
  readonly #versions = new Map<string, string>();

  constructor(options: LibrarianOptions) {
    this.#options = options;
  }

  /** Brings the service up to date, once, and waits until all is indexed. */
  async once(source: Source): Promise<void> {
    await this.#compare(source);
    await this.#options.delivery.settled();
  }

  /**
   * Brings the service up to date and keeps it so until the signal fires.
   *
   * @param intervalSeconds between two comparisons of all that there is
   */
  async follow(source: Source, intervalSeconds = source.intervalSeconds): Promise<void> {
    const { delivery, signal } = this.#options;
    const intervalMs = 1000 * intervalSeconds;
    // Before the first comparison: what changes meanwhile is noticed by one or the other.
    const follower = await source.follow?.();
    try {
      await this.#compare(source);
      let nextComparison = performance.now() + intervalMs;
      for (;;) {
        const waitMs = Math.max(0, nextComparison - performance.now());
        const changes = await (follower ?? pause).next(waitMs, signal);
        if (changes) await delivery.deliver(changes.filter((change) => this.#isReadable(change)));
        if (performance.now() < nextComparison) continue;
        await this.#compare(source);
        nextComparison = performance.now() + intervalMs;
      }
    } finally {
      await follower?.close();
    }
  }

  async #compare(source: Source): Promise<void> {
    await this.#options.delivery.deliver(this.#differences(source));
  }

  async *#differences(source: Source): AsyncGenerator<Change> {
    const { account, readHoldings, signal } = this.#options;
    const held = await readHoldings(source.idPrefix);
    const there = new Set<string>();
    for await (const { id, version, isSame, open } of source.list(signal)) {
      if (!this.#isReadable({ kind: "put", id, open })) continue;
      there.add(id);
      // Refused at the door, so that the service does not know it: it is not read again for the same answer.
      if (version !== "" && this.#versions.get(id) === version && account.isRefused(id)) continue;
      const known = held.get(id);
      const isOurs = known?.attributes[sourceAttribute] === source.name;
      if (!known || !isOurs || !(await isSame(known))) {
        this.#versions.set(id, version);
        yield { kind: "put", id, open };
      } else {
        account.unchanged();
        if (known.failure) account.refused({ id, ...known.failure });
      }
    }
    const gone = [...held.values()].filter(
      ({ id, attributes }) => attributes[sourceAttribute] === source.name && !there.has(id),
    );
    // A disk that is not mounted, or a wrong mount, looks just like that.
    if (there.size === 0 && gone.length > 0) {
      account.kept(source.name, gone.length);
      return;
    }
    for (const { id } of gone) yield { kind: "delete", id };
  }

  #isReadable({ kind, id }: Change): boolean {
    if (!isImage(id)) return true;
    if (kind === "put") this.#options.account.refused(needsOcr(id));
    return false;
  }
}

/** Of a source that cannot be followed. */
const pause: Pick<Follower, "next"> = {
  next: (timeoutMs, signal) => delay(timeoutMs, undefined, { signal }),
};
