import { once } from "node:events";
import type { DocumentStatus } from "./document-record.ts";

/**
 * Documents that one watcher may have waiting. Beyond it the watcher has to read the catalog again, so that a slow
 * one costs no more memory than this.
 */
const maxWaiting = 10_000;

/** What a watcher has not yet seen. Only the newest status of a document is kept. */
export class Subscription {
  readonly #wanted: ReadonlySet<string> | undefined;
  readonly #leave: () => void;
  readonly #wakeup = new EventTarget();
  #waiting = new Map<string, DocumentStatus>();
  /** Unix milliseconds of the oldest change that may be missing. */
  #droppedSince: number | undefined;

  constructor(wanted: ReadonlySet<string> | undefined, leave: () => void) {
    this.#wanted = wanted;
    this.#leave = leave;
  }

  offer(status: DocumentStatus): void {
    if (this.#wanted && !this.#wanted.has(status.documentId)) return;
    if (this.#waiting.size >= maxWaiting && !this.#waiting.has(status.documentId)) {
      this.drop(status.updatedAt);
      return;
    }
    this.#waiting.delete(status.documentId);
    this.#waiting.set(status.documentId, status);
    this.#wakeup.dispatchEvent(new Event("change"));
  }

  /** Changes are missing. @param since unix milliseconds */
  drop(since: number): void {
    this.#droppedSince = Math.min(this.#droppedSince ?? since, since);
    this.#wakeup.dispatchEvent(new Event("change"));
  }

  /**
   * Waits for changes.
   *
   * @returns the newest status of each document that changed, and since when others changed that were not kept
   * @throws AbortError when `signal` fires
   */
  async next(
    signal: AbortSignal,
  ): Promise<{ statuses: readonly DocumentStatus[]; droppedSince: number | undefined }> {
    while (this.#waiting.size === 0 && this.#droppedSince === undefined)
      await once(this.#wakeup, "change", { signal });
    const statuses = [...this.#waiting.values()];
    const droppedSince = this.#droppedSince;
    this.#waiting = new Map();
    this.#droppedSince = undefined;
    return { statuses, droppedSince };
  }

  close(): void {
    this.#leave();
  }
}

/** Tells watchers in this process of each change of a document's status, whichever process made it. */
export class ChangeFeed {
  readonly #subscriptions = new Map<string, Set<Subscription>>();

  publish(status: DocumentStatus): void {
    const watching = this.#subscriptions.get(status.tenant);
    if (watching) for (const subscription of watching) subscription.offer(status);
  }

  /** Changes of any document may be missing. @param since unix milliseconds */
  missed(since: number): void {
    for (const watching of this.#subscriptions.values())
      for (const subscription of watching) subscription.drop(since);
  }

  /** @param ids undefined: all documents of the tenant */
  subscribe(tenant: string, ids: ReadonlySet<string> | undefined): Subscription {
    const watching = this.#subscriptions.get(tenant) ?? new Set();
    this.#subscriptions.set(tenant, watching);
    const subscription = new Subscription(ids, () => {
      watching.delete(subscription);
      if (watching.size === 0 && this.#subscriptions.get(tenant) === watching)
        this.#subscriptions.delete(tenant);
    });
    watching.add(subscription);
    return subscription;
  }
}
