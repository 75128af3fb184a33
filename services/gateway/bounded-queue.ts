/** A queue between one writer side and one reader; writers wait while it is full. */
export class BoundedQueue<T> {
  readonly #limit: number;
  readonly #items: T[] = [];
  #ended = false;
  #failure: unknown;
  #wakeReader: (() => void) | undefined;
  #wakeWriters: (() => void)[] = [];

  /** @param limit items held at most; the writer that reaches it waits */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Resolves once the item is in; at once, and without effect, where the reader has left. */
  async push(item: T): Promise<void> {
    while (this.#items.length >= this.#limit && !this.#ended)
      await new Promise<void>((resolve) => this.#wakeWriters.push(resolve));
    if (this.#ended) return;
    this.#items.push(item);
    this.#wakeReader?.();
  }

  /** No more items come; what is in the queue is still read. A failure is thrown to the reader after it. */
  end(failure?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#wakeReader?.();
    this.#wake();
  }

  async *read(): AsyncGenerator<T, void, undefined> {
    try {
      while (true) {
        const item = this.#items.shift();
        if (item !== undefined) {
          this.#wake();
          yield item;
        } else if (this.#ended) {
          if (this.#failure !== undefined) throw this.#failure;
          return;
        } else {
          await new Promise<void>((resolve) => {
            this.#wakeReader = resolve;
          });
          this.#wakeReader = undefined;
        }
      }
    } finally {
      this.end();
    }
  }

  #wake(): void {
    const writers = this.#wakeWriters;
    this.#wakeWriters = [];
    for (const wake of writers) wake();
  }
}
