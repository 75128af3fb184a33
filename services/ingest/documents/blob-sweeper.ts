import { setTimeout as delay } from "node:timers/promises";
import type { BlobStore } from "@headwater/blob-store";
import type { Catalog } from "../catalog/catalog.ts";

const batch = 200;
/** Milliseconds after which it looks even if nobody has said that there is something to do. */
const intervalMs = 30_000;

/** Deletes the blobs that the catalog has let go of; a blob that could not be deleted is tried again. */
export class BlobSweeper {
  readonly #catalog: Catalog;
  readonly #blobs: BlobStore;
  readonly #onError: (thrown: unknown) => void;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #wake = new AbortController();

  constructor(options: { catalog: Catalog; blobs: BlobStore; onError: (thrown: unknown) => void }) {
    this.#catalog = options.catalog;
    this.#blobs = options.blobs;
    this.#onError = options.onError;
    this.#running = this.#run();
  }

  /** There may be something to delete. */
  wake(): void {
    this.#wake.abort();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      this.#wake = new AbortController();
      try {
        await this.#sweep();
      } catch (thrown) {
        this.#onError(thrown);
      }
      if (!this.#closing.signal.aborted)
        await delay(intervalMs, undefined, { signal: this.#wake.signal }).catch(() => {});
    }
  }

  async #sweep(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const keys = await this.#catalog.unusedBlobs(batch);
      if (keys.length === 0) return;
      for (const key of keys) await this.#blobs.delete(key);
      await this.#catalog.forgetUnusedBlobs(keys);
    }
  }
}
