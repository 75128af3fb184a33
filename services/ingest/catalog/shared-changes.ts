import { randomUUID } from "node:crypto";
import type { RecordStore } from "@headwater/record-store";
import { maxPayloadBytes } from "@headwater/record-store";
import { keyOf } from "./catalog-rows.ts";
import type { DocumentStatus } from "./document-record.ts";

/** Milliseconds for which changes are gathered: each notification costs the database a little, and locks for a moment. */
const gatherMs = 100;
/** Changes in one statement; as many may be some MB. */
const maxBatch = 512;
/** Documents whose change is not yet told, while the database is away. Beyond it the others are told to look themselves. */
const maxWaiting = 10_000;
/** Milliseconds by which the clocks of two processes may differ, at most. */
const clockSkewMs = 5000;

const channel = "documents";

/** What one process tells the others: a document's new status, or that they must look for changes since a time. */
type Message = { readonly origin: string } & (
  | { readonly status: DocumentStatus }
  | { readonly missedSince: number }
);

/** What comes from other processes. */
export interface ChangeReader {
  onStatus(status: DocumentStatus): void;
  /** Unix milliseconds since which changes may have been missed. */
  onMissed(since: number): void;
  onError(thrown: unknown): void;
}

/** Carries changes of documents between the processes of ingest, through the record store that they share. */
export class SharedChanges {
  readonly #store: RecordStore;
  readonly #reader: ChangeReader;
  readonly #origin = randomUUID();
  readonly #waiting = new Map<string, DocumentStatus>();
  #missedSince: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #telling: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(store: RecordStore, reader: ChangeReader) {
    this.#store = store;
    this.#reader = reader;
  }

  static async open(store: RecordStore, reader: ChangeReader): Promise<SharedChanges> {
    const changes = new SharedChanges(store, reader);
    await store.listen(channel, {
      onPayload: (payload) => changes.#hear(payload),
      onGap: (since) => reader.onMissed(since - clockSkewMs),
    });
    return changes;
  }

  /** Told a moment later, the newest of each document. */
  tell(status: DocumentStatus): void {
    const key = keyOf(status);
    if (this.#waiting.size >= maxWaiting && !this.#waiting.has(key)) this.#miss(status.updatedAt);
    else this.#waiting.set(key, status);
    this.#tellLater();
  }

  /** Tells what still waits; the store closes later. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#telling;
    await this.#tellAll();
  }

  #miss(since: number): void {
    this.#missedSince = Math.min(this.#missedSince ?? since, since);
  }

  #tellLater(): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => {
      this.#telling = this.#tellAll().finally(() => {
        this.#timer = undefined;
        if (this.#waiting.size > 0 || this.#missedSince !== undefined) this.#tellLater();
      });
    }, gatherMs);
  }

  async #tellAll(): Promise<void> {
    try {
      while (this.#waiting.size > 0 || this.#missedSince !== undefined) await this.#tellSome();
    } catch (thrown) {
      // They wait for the next time; whoever listens on a connection that was lost looks by itself.
      this.#reader.onError(thrown);
    }
  }

  async #tellSome(): Promise<void> {
    const batch = [...this.#waiting].slice(0, maxBatch);
    const payloads: string[] = [];
    for (const [, status] of batch) {
      const payload = this.#payloadOf({ status });
      // One with large attributes: it is in the database, or will be.
      if (Buffer.byteLength(payload) <= maxPayloadBytes) payloads.push(payload);
      else this.#miss(status.updatedAt);
    }
    const missedSince = this.#missedSince;
    if (missedSince !== undefined) payloads.push(this.#payloadOf({ missedSince }));
    await this.#store.notify(channel, payloads);
    if (this.#missedSince === missedSince) this.#missedSince = undefined;
    for (const [key, status] of batch) if (this.#waiting.get(key) === status) this.#waiting.delete(key);
  }

  #payloadOf(said: { status: DocumentStatus } | { missedSince: number }): string {
    return JSON.stringify({ origin: this.#origin, ...said } satisfies Message);
  }

  #hear(payload: string): void {
    try {
      const message = JSON.parse(payload) as Message;
      if (message.origin === this.#origin) return;
      if ("status" in message) this.#reader.onStatus(message.status);
      else this.#reader.onMissed(message.missedSince - clockSkewMs);
    } catch (thrown) {
      this.#reader.onError(thrown);
    }
  }
}
