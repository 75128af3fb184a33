import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";

export interface GroupCommitOptions<Item, Result> {
  readonly maxItems: number;
  /** Sum of `weigh` in one batch; an item beyond it goes alone. */
  readonly maxWeight: number;
  readonly weigh: (item: Item) => number;
  /** Gives one result an item, in order; a throw fails all items of the batch. */
  readonly commit: (items: readonly Item[]) => Promise<readonly Result[]>;
  /**
   * Turns of the event loop that a batch waits; default 1, as items of one turn belong together. A turn takes
   * microseconds while the loop has little to do, and brings more items while it is busy.
   */
  readonly gatherTurns?: number;
  /** Longest wait in milliseconds for a batch to fill. 0: what has gathered during the commit before goes at once. */
  readonly lingerMs?: number;
  /** True: waiting is of no use, for nothing more is coming. Asked while lingering, after each `add` and `poke`. */
  readonly nothingElse?: (waiting: number) => boolean;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly weight: number;
  resolve(result: Result): void;
  reject(thrown: unknown): void;
}

/**
 * Makes many small writes into few: one commit runs at a time, and what arrives meanwhile goes together in the next.
 * Order is kept. The callers bound how much waits, by awaiting `add`.
 */
export class GroupCommit<Item, Result> {
  readonly #options: GroupCommitOptions<Item, Result>;
  #waiting: Waiting<Item, Result>[] = [];
  #weight = 0;
  #running: Promise<void> | undefined;
  #wake: AbortController | undefined;

  constructor(options: GroupCommitOptions<Item, Result>) {
    this.#options = options;
  }

  /** Items that are not yet in a commit. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves once the item's batch is committed. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      const weight = this.#options.weigh(item);
      this.#waiting.push({ item, weight, resolve, reject });
      this.#weight += weight;
      this.poke();
      this.#running ??= this.#run();
    });
  }

  /** Asks `nothingElse` again. */
  poke(): void {
    if (this.#wake && this.#isRipe()) this.#wake.abort();
  }

  /** Resolves once all that was added is committed or has failed. */
  async drain(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      for (let turn = 0; turn < (this.#options.gatherTurns ?? 1); turn += 1) await nextTurn();
      await this.#linger();
      const batch = this.#take();
      try {
        const results = await this.#options.commit(batch.map(({ item }) => item));
        for (const [place, one] of batch.entries()) one.resolve(results[place] as Result);
      } catch (thrown) {
        for (const one of batch) one.reject(thrown);
      }
    }
    this.#running = undefined;
  }

  async #linger(): Promise<void> {
    const ms = this.#options.lingerMs ?? 0;
    if (ms === 0 || this.#isRipe()) return;
    this.#wake = new AbortController();
    await delay(ms, undefined, { signal: this.#wake.signal }).catch(() => {});
    this.#wake = undefined;
  }

  #isRipe(): boolean {
    const { maxItems, maxWeight, nothingElse } = this.#options;
    return (
      this.#waiting.length >= maxItems ||
      this.#weight >= maxWeight ||
      (nothingElse?.(this.#waiting.length) ?? false)
    );
  }

  #take(): Waiting<Item, Result>[] {
    let weight = 0;
    let count = 0;
    for (const one of this.#waiting) {
      if (count >= this.#options.maxItems) break;
      if (count > 0 && weight + one.weight > this.#options.maxWeight) break;
      weight += one.weight;
      count += 1;
    }
    this.#weight -= weight;
    return this.#waiting.splice(0, count);
  }
}
