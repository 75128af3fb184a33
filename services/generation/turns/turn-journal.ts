import type { TurnLog } from "./turn-log.ts";
import type { EventBatch, TurnStore } from "./turn-store.ts";

/** Milliseconds for which events are gathered: what a process that dies may lose of its turns. */
const gatherMs = 250;
/** Bytes of one turn that are not gathered any longer. */
const enoughBytes = 64 * 1024;
/** Bytes in one statement; the rest goes with the next. */
const maxStatementBytes = 4 * 1024 * 1024;

export interface JournalReader {
  /** Events of these turns have been kept. */
  onWritten(turnIds: readonly string[]): void;
  /** A turn is this process's no more: it was taken for lost, or deleted. */
  onTaken(turnId: string): void;
  onError(thrown: unknown): void;
}

/** Keeps the events of all turns of a process: many turns in one statement, a few times a second. */
export class TurnJournal {
  readonly #store: TurnStore;
  readonly #reader: JournalReader;
  readonly #logs = new Map<string, TurnLog>();
  #due: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(store: TurnStore, reader: JournalReader) {
    this.#store = store;
    this.#reader = reader;
  }

  add(log: TurnLog): void {
    this.#logs.set(log.turnId, log);
  }

  /** The log has grown: what it has is kept soon, or at once where it is much. */
  note(log: TurnLog): void {
    if (log.unkeptBytes >= enoughBytes) this.#start();
    else this.#startLater();
  }

  /** Leaves a log alone from now on. @returns what of it is not kept */
  async remove(log: TurnLog): Promise<EventBatch | undefined> {
    this.#logs.delete(log.turnId);
    await this.#writing;
    return log.unkept();
  }

  /** Keeps nothing more; a write under way is waited for. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#due);
    await this.#writing;
  }

  #startLater(): void {
    if (!this.#closed) this.#due ??= setTimeout(() => this.#start(), gatherMs);
  }

  #start(): void {
    clearTimeout(this.#due);
    this.#due = undefined;
    this.#writing ??= this.#write()
      // They wait for the next time, and the turns with them once they have much.
      .catch((thrown: unknown) => this.#reader.onError(thrown))
      .finally(() => {
        this.#writing = undefined;
        for (const { unkeptBytes } of this.#logs.values()) if (unkeptBytes > 0) this.#startLater();
      });
  }

  async #write(): Promise<void> {
    const taken = this.#take();
    if (taken.length === 0) return;
    const held = await this.#store.write(taken.map(({ batch }) => batch));
    for (const { log, batch } of taken) {
      if (held.has(log.turnId)) log.kept(batch.last);
      else if (this.#logs.delete(log.turnId)) this.#reader.onTaken(log.turnId);
    }
    this.#reader.onWritten([...held]);
  }

  #take(): { log: TurnLog; batch: EventBatch }[] {
    const taken: { log: TurnLog; batch: EventBatch }[] = [];
    let bytes = 0;
    for (const log of [...this.#logs.values()]) {
      if (bytes >= maxStatementBytes) break;
      const batch = log.unkept();
      if (!batch) continue;
      bytes += log.unkeptBytes;
      taken.push({ log, batch });
      // Last in order from now on, so that none waits for ever.
      this.#logs.delete(log.turnId);
      this.#logs.set(log.turnId, log);
    }
    return taken;
  }
}
