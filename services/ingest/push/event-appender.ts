import type { DocumentLog, LogPosition, NewLogRecord } from "@headwater/document-log";
import type { HeadwaterError } from "@headwater/errors";
import { retry } from "@headwater/resilience";
import { GroupCommit } from "../batching/group-commit.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { DocumentStatus } from "../catalog/document-record.ts";
import type { BacklogGate } from "./backlog-gate.ts";

export interface Appendable {
  readonly record: NewLogRecord;
  /** What people are shown once the event is in the log; undefined for a deletion. */
  readonly status: DocumentStatus | undefined;
}

/** Events and bytes of one append: one sync of the disk, and no long pause of the event loop. */
const maxBatch = { events: 512, bytes: 4 * 1024 * 1024 };
/**
 * Where the disk is fast, an append is done before a busy event loop has read ten more events, and each append costs it
 * as much as several events do. With 8 turns an event that changes nothing costs a quarter less of it; a lone event
 * waits 15 us.
 */
const gatherTurns = 8;

/** Writes events to the document log, those of all streams together in few commits. */
export class EventAppender {
  readonly #group: GroupCommit<Appendable, LogPosition>;
  readonly #gate: BacklogGate;
  readonly #closing = new AbortController();

  constructor(options: {
    log: DocumentLog;
    catalog: Catalog;
    gate: BacklogGate;
    onRetry: (error: HeadwaterError, attempt: number) => void;
  }) {
    const { log, catalog, gate, onRetry } = options;
    this.#gate = gate;
    // A fault that passes, such as a full disk, makes the stream wait rather than fail.
    const patiently = <T>(work: () => Promise<T>) =>
      retry(work, { signal: this.#closing.signal, retries: (error) => error.transient, onRetry });
    this.#group = new GroupCommit({
      maxItems: maxBatch.events,
      maxWeight: maxBatch.bytes,
      weigh: ({ record }) => record.value?.length ?? 0,
      gatherTurns,
      commit: async (items) => {
        const positions = await patiently(() => log.append(items.map(({ record }) => record)));
        gate.added(items.length);
        await patiently(() => catalog.noteQueued(items.flatMap(({ status }) => status ?? [])));
        return positions;
      },
    });
  }

  /**
   * Durable when it resolves. Waits while the backlog is at its bound.
   *
   * @throws AbortError when `signal` fires while waiting
   */
  async append(event: Appendable, signal: AbortSignal): Promise<LogPosition> {
    await this.#gate.pass(signal);
    return this.#group.add(event);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#group.drain();
  }
}
