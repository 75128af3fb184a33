/** Hands pieces from one who writes to one who reads; the writer waits until its piece is taken. */
export class PieceChannel implements AsyncIterable<Uint8Array> {
  #piece: Uint8Array | undefined;
  #ended = false;
  #failure: { readonly thrown: unknown } | undefined;
  #changed = Promise.withResolvers<void>();

  /** @throws what `fail` was given */
  async write(piece: Uint8Array): Promise<void> {
    this.#piece = piece;
    this.#change();
    while (this.#piece === piece && !this.#failure) await this.#changed.promise;
    if (this.#failure) throw this.#failure.thrown;
  }

  end(): void {
    this.#ended = true;
    this.#change();
  }

  /** Both sides get the error. */
  fail(thrown: unknown): void {
    this.#failure ??= { thrown };
    this.#change();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    while (true) {
      if (this.#failure) throw this.#failure.thrown;
      const piece = this.#piece;
      if (piece) {
        this.#piece = undefined;
        this.#change();
        yield piece;
      } else if (this.#ended) return;
      else await this.#changed.promise;
    }
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
