/**
 * Hands events from who makes them to who reads them. The maker never waits: a reader who is slow, or has stopped
 * reading, must not keep a search from ending and giving back its place. For a few events only, as it has no bound.
 */
export class EventQueue<T> implements AsyncIterable<T> {
  readonly #events: T[] = [];
  #ended = false;
  #error: { readonly thrown: unknown } | undefined;
  #wake: (() => void) | undefined;

  push(event: T): void {
    this.#events.push(event);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  fail(thrown: unknown): void {
    this.#error = { thrown };
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) yield event;
      if (this.#error) throw this.#error.thrown;
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
