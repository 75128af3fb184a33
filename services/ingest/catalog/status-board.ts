import type { DocumentKey } from "@headwater/passage-index";
import { keyOf } from "./catalog-rows.ts";
import type { DocumentRecord, DocumentStatus } from "./document-record.ts";
import { isSettled } from "./document-record.ts";

/** Milliseconds before a queued document is written: most are settled by then and save the row. */
const flushAfterMs = 1000;
/** Queued documents in memory beyond which they are written at once, and who queues more has to wait. */
const maxQueued = 4096;
/** Milliseconds between two writes of what is under way: people who look all the time must not cost more than that. */
const progressIntervalMs = 1000;
/** Rows in one statement. */
const maxBatch = 512;

/**
 * Writes statuses. `beats` says which stored version gives way: only an older one (a queued document, noted by
 * whoever took it in), or also an earlier status of the same (by the consumer that works on it).
 */
type WriteStatuses = (statuses: readonly DocumentStatus[], beats: "older" | "same") => Promise<void>;

/** Statuses that are newer than what the database has. */
export class StatusBoard {
  readonly #write: WriteStatuses;
  readonly #onError: (thrown: unknown) => void;
  readonly #queued = new Map<string, DocumentStatus>();
  readonly #progress = new Map<string, DocumentStatus>();
  #progressWritten = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;

  constructor(write: WriteStatuses, onError: (thrown: unknown) => void) {
    this.#write = write;
    this.#onError = onError;
  }

  /** @returns false where a newer version is known */
  queue(status: DocumentStatus): boolean {
    const key = keyOf(status);
    const known = this.#progress.get(key) ?? this.#queued.get(key);
    if (known && known.version >= status.version) return false;
    this.#queued.set(key, status);
    this.#flushLater();
    return true;
  }

  /** @returns false where a newer version is known: that is what people are shown */
  progress(status: DocumentStatus): boolean {
    const key = keyOf(status);
    this.#progress.set(key, status);
    const queued = this.#queued.get(key);
    if (queued && queued.version > status.version) return false;
    this.#queued.delete(key);
    return true;
  }

  /** The work on a document was called off; whoever takes it up again, perhaps another process, says where it is. */
  withdraw(key: DocumentKey): void {
    this.#progress.delete(keyOf(key));
  }

  /** The database has this status. @returns false where a newer version is queued */
  settle(status: DocumentStatus): boolean {
    const key = keyOf(status);
    this.#progress.delete(key);
    const queued = this.#queued.get(key);
    if (queued && queued.version > status.version) return false;
    this.#queued.delete(key);
    return true;
  }

  /** Another process tells of this status. @returns false where a newer version is known here */
  hear(status: DocumentStatus): boolean {
    const key = keyOf(status);
    const progress = this.#progress.get(key);
    // Its partition has moved while it was under way here.
    if (progress && isSettled(status.state) && progress.version <= status.version) this.#progress.delete(key);
    const known = this.#progress.get(key) ?? this.#queued.get(key);
    return !known || known.version <= status.version;
  }

  /** A record as it is now, given what the database has. */
  overlay(key: DocumentKey, stored: DocumentRecord | undefined): DocumentRecord | undefined {
    let record = stored;
    for (const board of [this.#progress, this.#queued]) {
      const status = board.get(keyOf(key));
      const gives = board === this.#progress ? 0 : 1;
      if (!status) continue;
      if (!record) record = { status, settledVersion: 0, served: null };
      else if (status.version >= record.status.version + gives) record = { ...record, status };
    }
    return record;
  }

  /** The documents of a tenant of which it may know more than the database. */
  documentIds(tenant: string): string[] {
    const statuses = [...this.#progress.values(), ...this.#queued.values()];
    return [...new Set(statuses.flatMap((one) => (one.tenant === tenant ? one.documentId : [])))];
  }

  /** Waits until the database has every queued document. */
  async written(): Promise<void> {
    await this.#flushQueued();
  }

  /** Waits while too many queued documents are in memory. */
  async room(): Promise<void> {
    while (this.#queued.size > maxQueued) await this.#flushQueued();
  }

  /** Brings the database up to date, as to the stages between queued and settled up to a second behind. */
  async flush(): Promise<void> {
    await this.#flushQueued();
    if (performance.now() - this.#progressWritten < progressIntervalMs) return;
    this.#progressWritten = performance.now();
    const progress = [...this.#progress.values()];
    for (let at = 0; at < progress.length; at += maxBatch) {
      // What was settled during the write before is newer in the database than here.
      const batch = progress
        .slice(at, at + maxBatch)
        .filter((status) => this.#progress.get(keyOf(status)) === status);
      if (batch.length > 0) await this.#write(batch, "same");
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#flushQueued();
  }

  #flushLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#flushQueued().catch((thrown: unknown) => {
        this.#onError(thrown);
        this.#flushLater();
      });
    }, flushAfterMs);
  }

  /** A write that others began may be at its end, and leave out what was queued just now: then it begins anew. */
  async #flushQueued(): Promise<void> {
    while (this.#queued.size > 0 || this.#flushing !== undefined) {
      this.#flushing ??= this.#writeQueued().finally(() => {
        this.#flushing = undefined;
      });
      await this.#flushing;
    }
  }

  async #writeQueued(): Promise<void> {
    while (this.#queued.size > 0) {
      const batch = [...this.#queued.values()].slice(0, maxBatch);
      await this.#write(batch, "older");
      for (const status of batch) {
        const key = keyOf(status);
        if (this.#queued.get(key) === status) this.#queued.delete(key);
      }
    }
  }
}
