import type { LogRecord } from "./document-log.ts";
import type { ReceiveLimits } from "./take-in-turns.ts";

/** Of one partition: what was fetched and not yet handed out, and how far it has come. */
export class PartitionBuffer {
  readonly partition: number;
  #records: LogRecord[] = [];
  /** Of `#records`: those before it are handed out, and dropped from time to time. */
  #head = 0;
  #bytes = 0;
  #fetchOffset: number;
  #received: number;

  /** @param start offset of the first record to fetch */
  constructor(partition: number, start: number) {
    this.partition = partition;
    this.#fetchOffset = start;
    this.#received = start;
  }

  /** Of the values that wait to be handed out. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Offset from which to fetch. */
  get fetchOffset(): number {
    return this.#fetchOffset;
  }

  /** Offset behind the last record that was handed out. */
  get received(): number {
    return this.#received;
  }

  /** Offset of the next record to hand out, as far as is known: beyond `received` where a transaction left a gap. */
  get position(): number {
    return this.#records[this.#head]?.offset ?? this.#fetchOffset;
  }

  /** @param next offset behind all that was fetched, gaps included */
  add(records: readonly LogRecord[], next: number): void {
    for (const record of records) {
      this.#records.push(record);
      this.#bytes += record.value?.length ?? 0;
    }
    this.#fetchOffset = next;
  }

  /** Drops nothing: the broker has lost what was to come. */
  skipTo(offset: number): void {
    this.#fetchOffset = offset;
  }

  take({ maxRecords, maxBytes }: ReceiveLimits): LogRecord[] {
    const taken: LogRecord[] = [];
    let bytes = 0;
    while (taken.length < maxRecords && bytes < maxBytes) {
      const record = this.#records[this.#head];
      if (!record) break;
      taken.push(record);
      bytes += record.value?.length ?? 0;
      this.#head += 1;
      this.#received = record.offset + 1;
    }
    this.#bytes -= bytes;
    if (this.#head * 2 >= this.#records.length) {
      this.#records = this.#records.slice(this.#head);
      this.#head = 0;
    }
    return taken;
  }
}
