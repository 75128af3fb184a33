import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError, status } from "@headwater/errors";
import type { LogRecord } from "./document-log.ts";
import { parseRecordKey } from "./document-log.ts";
import { originOf, replayedLetter } from "./kafka-dead-letter-record.ts";
import { isOffsetOutOfRange } from "./kafka-error.ts";
import type { KafkaPartitionReader } from "./kafka-partition-reader.ts";

interface IndexedLetter {
  readonly tenant: string;
  /** Names the record that was given up. */
  readonly origin: string;
}

/** Milliseconds until a transaction that is decided can likely be read. */
const retryMs = 5;
const patienceMs = 20_000;
/** Letters that are known at one time, some 200 bytes each; beyond it the oldest are not shown. */
const maxLetters = 200_000;

/**
 * Which dead letters there are, without their content: made by reading their topic from its beginning, once, and then
 * what has come since. So each process sees what the others did, and nothing else has to be kept.
 */
export class KafkaDeadLetterIndex {
  readonly #reader: KafkaPartitionReader;
  readonly #onError: (error: HeadwaterError) => void;
  /** Offset in the topic → letter, oldest first. */
  readonly #letters = new Map<number, IndexedLetter>();
  readonly #byOrigin = new Map<string, number>();
  #next: number | undefined;
  #reading: Promise<void> = Promise.resolve();
  #overflown = false;

  constructor(reader: KafkaPartitionReader, onError: (error: HeadwaterError) => void) {
    this.#reader = reader;
    this.#onError = onError;
  }

  /**
   * Learns of all that was written before the call.
   *
   * @param until offset behind what must be seen; a transaction is decided a little before it can be read
   * @throws what kafkajs threw
   */
  catchUp(until = 0): Promise<void> {
    const reading = this.#reading.then(() => this.#read(until));
    this.#reading = reading.catch(() => {});
    return reading;
  }

  count(tenant: string | undefined): number {
    if (tenant === undefined) return this.#letters.size;
    let count = 0;
    for (const letter of this.#letters.values()) if (letter.tenant === tenant) count += 1;
    return count;
  }

  /** Offsets of the letters, oldest first. */
  offsets(tenant: string | undefined): number[] {
    const offsets: number[] = [];
    for (const [offset, letter] of this.#letters)
      if (tenant === undefined || letter.tenant === tenant) offsets.push(offset);
    return offsets;
  }

  async #read(until: number): Promise<void> {
    const start = await this.#reader.start();
    for (const [offset, { origin }] of this.#letters) {
      if (offset >= start) break;
      this.#remove(offset, origin);
    }
    this.#next = Math.max(this.#next ?? start, start);
    const giveUpAt = performance.now() + patienceMs;
    while (true) {
      try {
        const { records, next, end } = await this.#reader.read(this.#next);
        for (const record of records) this.#apply(record);
        this.#next = next;
        if (next >= Math.max(end, until) || performance.now() > giveUpAt) return;
        if (next >= end) await delay(retryMs);
      } catch (thrown) {
        if (!isOffsetOutOfRange(thrown)) throw thrown;
        // Made anew, or shortened while we read.
        this.#letters.clear();
        this.#byOrigin.clear();
        this.#next = await this.#reader.start();
      }
    }
  }

  #apply(record: LogRecord): void {
    const replayed = replayedLetter(record);
    if (replayed !== undefined) {
      const letter = this.#letters.get(replayed);
      if (letter) this.#remove(replayed, letter.origin);
      return;
    }
    const place = originOf(record);
    if (!place) return;
    const origin = `${place.partition}/${place.offset}`;
    // Given up again, since its consumer died before it committed: the later letter counts.
    const earlier = this.#byOrigin.get(origin);
    if (earlier !== undefined) this.#letters.delete(earlier);
    this.#letters.set(record.offset, { tenant: parseRecordKey(record.key)?.tenant ?? "", origin });
    this.#byOrigin.set(origin, record.offset);
    if (this.#letters.size > maxLetters) this.#dropOldest();
  }

  #dropOldest(): void {
    for (const [offset, { origin }] of this.#letters) {
      this.#remove(offset, origin);
      break;
    }
    if (this.#overflown) return;
    this.#overflown = true;
    this.#onError(
      new HeadwaterError({
        ...{ code: status.RESOURCE_EXHAUSTED, reason: "HW_DEAD_LETTERS_TOO_MANY" },
        message: `There are more than ${maxLetters} dead letters; the oldest are not shown.`,
        action: "Replay some and restart, or shorten the retention of their topic.",
      }),
    );
  }

  #remove(offset: number, origin: string): void {
    this.#letters.delete(offset);
    if (this.#byOrigin.get(origin) === offset) this.#byOrigin.delete(origin);
  }
}
