interface Entry<T> {
  readonly item: T;
  readonly tokens: number;
  /** Place in the order of all flows, in tokens of virtual time. */
  readonly start: number;
}

/**
 * A queue in which flows share by tokens: start-time fair queueing (Goyal, Vin and Cheng, 1996). Each item gets a
 * start on a virtual clock, after the end of its flow's item before; the queue is in the order of starts. A flow of
 * many items is first in, first out by itself, and cannot put a flow of few behind it.
 */
export class FairQueue<T> {
  /** By start. */
  readonly #entries: Entry<T>[] = [];
  /** Where the next item of a flow may start. */
  readonly #ends = new WeakMap<object, number>();
  #now = 0;
  #tokens = 0;

  /** Items that wait. */
  get length(): number {
    return this.#entries.length;
  }

  /** Tokens that wait. */
  get tokens(): number {
    return this.#tokens;
  }

  push(item: T, tokens: number, flow: object): void {
    const start = Math.max(this.#now, this.#ends.get(flow) ?? 0);
    this.#ends.set(flow, start + tokens);
    this.#entries.splice(this.#placeAfter(start), 0, { item, tokens, start });
    this.#tokens += tokens;
  }

  /** The first items, at most `count`; they stay. */
  peek(count: number): T[] {
    return this.#entries.slice(0, count).map(({ item }) => item);
  }

  /** Takes items out; those that are not there are passed over. */
  remove(items: ReadonlySet<T>): void {
    let left = items.size;
    for (let at = 0; at < this.#entries.length && left > 0; ) {
      const entry = this.#entries[at];
      if (entry && items.has(entry.item)) {
        this.#entries.splice(at, 1);
        this.#tokens -= entry.tokens;
        left -= 1;
      } else {
        at += 1;
      }
    }
  }

  /** The virtual clock follows the first item whenever work is taken. */
  advance(): void {
    this.#now = Math.max(this.#now, this.#entries[0]?.start ?? this.#now);
  }

  #placeAfter(start: number): number {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.start ?? 0) <= start) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
