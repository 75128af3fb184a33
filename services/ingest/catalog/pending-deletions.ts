import type { DocumentKey } from "@headwater/passage-index";
import { keyOf } from "./catalog-rows.ts";

/** Milliseconds after which a tombstone is taken for applied: another replica may have done it. */
const patienceMs = 60_000;
const maxPending = 10_000;

/** Documents whose tombstone this process has put into the log and not yet seen applied. */
export class PendingDeletions {
  readonly #since = new Map<string, number>();

  add(key: DocumentKey): void {
    const oldest = this.#since.keys().next().value;
    if (this.#since.size >= maxPending && oldest !== undefined) this.#since.delete(oldest);
    this.#since.set(keyOf(key), Date.now());
  }

  delete(key: DocumentKey): void {
    this.#since.delete(keyOf(key));
  }

  has(key: DocumentKey): boolean {
    const since = this.#since.get(keyOf(key));
    return since !== undefined && Date.now() - since < patienceMs;
  }
}
