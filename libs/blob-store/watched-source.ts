/**
 * Bytes on their way to somebody else, who fails for reasons of its own: remembers a failure of the source itself, which
 * is the caller's and goes back to it as it is.
 */
export class WatchedSource implements AsyncIterable<Uint8Array> {
  readonly #content: AsyncIterable<Uint8Array>;
  failure: { readonly thrown: unknown } | undefined;

  constructor(content: AsyncIterable<Uint8Array>) {
    this.#content = content;
  }

  /** Has no `throw`: what goes wrong with the reader must not look like a failure of the source. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    const iterator = this.#content[Symbol.asyncIterator]();
    return {
      next: async () => {
        try {
          const step = await iterator.next();
          return step.done ? { done: true, value: undefined } : step;
        } catch (thrown) {
          this.failure = { thrown };
          throw thrown;
        }
      },
      return: async () => {
        await iterator.return?.();
        return { done: true, value: undefined };
      },
    };
  }
}
