import { setTimeout as delay } from "node:timers/promises";
import type { BlobStore } from "@headwater/blob-store";
import type { DocumentLog } from "@headwater/document-log";
import type { BackupLedger } from "../catalog/backup-ledger.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { readDocumentChange } from "../pipeline/document-change.ts";
import { uploadStartedAt, uploadsFolder } from "./blob-keys.ts";

export interface UploadSweeperOptions {
  readonly blobs: BlobStore;
  readonly log: DocumentLog;
  readonly group: string;
  readonly catalog: Catalog;
  readonly backups: BackupLedger;
  readonly onError: (thrown: unknown) => void;
  /**
   * Milliseconds that a push may take, or a document to refer to its upload, and more; younger uploads are let be.
   * Default: two hours.
   */
  readonly minAgeMs?: number;
  /** Milliseconds between two looks. Default: one hour. */
  readonly intervalMs?: number;
}

const hourMs = 3_600_000;
/** Milliseconds between two looks whether the events that may name an upload are done. */
const pollMs = 1000;
const pageSize = 500;

/**
 * Deletes uploads that no document came of: those of a process that died between the first piece of a large document
 * and its event. Before an upload goes, every event that was in the log is done, and neither the catalog nor a dead
 * letter names it.
 */
export class UploadSweeper {
  readonly #options: UploadSweeperOptions;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: UploadSweeperOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#sweep(signal);
      } catch (thrown) {
        if (!signal.aborted) this.#options.onError(thrown);
      }
      await delay(this.#options.intervalMs ?? hourMs, undefined, { signal }).catch(() => {});
    }
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { blobs, catalog } = this.#options;
    const before = Date.now() - (this.#options.minAgeMs ?? 2 * hourMs);
    const leftovers = new Set<string>();
    for await (const key of blobs.list(`${uploadsFolder}/`)) {
      signal.throwIfAborted();
      if ((uploadStartedAt(key) ?? Number.POSITIVE_INFINITY) < before) leftovers.add(key);
    }
    if (leftovers.size === 0) return;
    await this.#untilDone(signal);
    for (const key of await this.#namedByDeadLetters(signal)) leftovers.delete(key);
    for (const key of await catalog.originalsAmong([...leftovers])) leftovers.delete(key);
    // Last: a backup that begins after this does not see what the catalog has let go of before it.
    if (await this.#options.backups.keepsBlobs()) return;
    for (const key of leftovers) await blobs.delete(key);
  }

  /** Waits until every event that is in the log now is done. */
  async #untilDone(signal: AbortSignal): Promise<void> {
    const { log, group } = this.#options;
    const ends = new Map((await log.lag(group)).map(({ partition, endOffset }) => [partition, endOffset]));
    while ((await log.lag(group)).some((now) => now.committedOffset < (ends.get(now.partition) ?? 0)))
      await delay(pollMs, undefined, { signal });
  }

  async #namedByDeadLetters(signal: AbortSignal): Promise<string[]> {
    const keys: string[] = [];
    let after: string | undefined;
    do {
      signal.throwIfAborted();
      const page = await this.#options.log.listDeadLetters({ limit: pageSize, ...(after ? { after } : {}) });
      for (const { record } of page.deadLetters) {
        try {
          const change = readDocumentChange(record);
          if (change.kind === "put" && change.content.$case === "blob") keys.push(change.content.value);
        } catch {
          // An event that cannot be read names no upload, and never will.
        }
      }
      after = page.next;
    } while (after !== undefined);
    return keys;
  }
}
