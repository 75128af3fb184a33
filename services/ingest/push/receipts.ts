import type { DeepPartial, PushResponse } from "@headwater/proto/services/headwater/v1/ingest";

export type Receipt = DeepPartial<PushResponse>;

/** Receipts that may be awaited at one time in one stream; beyond it the stream is not read on. */
const maxPending = 1024;

/** Gives receipts out in the order in which documents came in, each as soon as all before it are known. */
export class Receipts implements AsyncIterable<Receipt> {
  readonly #pending: { readonly receipt: Promise<Receipt> }[] = [];
  #end: { readonly reading: Promise<void> } | undefined;
  #changed = Promise.withResolvers<void>();

  /** Waits while too many are pending: the client does not read its receipts, or the log is slow. */
  async add(receipt: Promise<Receipt>): Promise<void> {
    // A failure is thrown by the iterator, which gets to it later.
    receipt.catch(() => {});
    this.#pending.push({ receipt });
    this.#change();
    while (this.#pending.length >= maxPending && !this.#end) await this.#changed.promise;
  }

  /** No more will come. @param reading fails where reading the stream has failed */
  end(reading: Promise<void>): void {
    this.#end = { reading };
    this.#change();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Receipt> {
    while (true) {
      const next = this.#pending[0];
      if (next) {
        const receipt = await next.receipt;
        this.#pending.shift();
        this.#change();
        yield receipt;
      } else if (this.#end) return await this.#end.reading;
      else await this.#changed.promise;
    }
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
