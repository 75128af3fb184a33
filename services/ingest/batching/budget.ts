/**
 * Bounds something that is held in memory, such as bytes or documents. Those who ask are served in turn, so a large
 * request is not overtaken for ever by small ones.
 */
export class Budget {
  readonly #capacity: number;
  #used = 0;
  readonly #queue: { readonly amount: number; readonly grant: () => void }[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get used(): number {
    return this.#used;
  }

  /** What could be had now without waiting. */
  get free(): number {
    return this.#queue.length > 0 ? 0 : Math.max(0, this.#capacity - this.#used);
  }

  /**
   * Waits until `amount` is free; more than the capacity waits for all of it.
   *
   * @returns gives it back; calling it twice is harmless
   * @throws AbortError when `signal` fires first
   */
  async acquire(amount: number, signal?: AbortSignal): Promise<() => void> {
    const wanted = Math.min(amount, this.#capacity);
    if (this.#queue.length > 0 || this.#used + wanted > this.#capacity) await this.#wait(wanted, signal);
    else this.#used += wanted;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#used -= wanted;
      this.#serve();
    };
  }

  #wait(amount: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#queue.splice(this.#queue.indexOf(request), 1);
        reject(signal?.reason);
        this.#serve();
      };
      const request = {
        amount,
        grant: () => {
          signal?.removeEventListener("abort", leave);
          resolve();
        },
      };
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener("abort", leave, { once: true });
      this.#queue.push(request);
    });
  }

  #serve(): void {
    for (
      let next = this.#queue[0];
      next && this.#used + next.amount <= this.#capacity;
      next = this.#queue[0]
    ) {
      this.#queue.shift();
      this.#used += next.amount;
      next.grant();
    }
  }
}
