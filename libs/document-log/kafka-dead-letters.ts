import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import type { Producer } from "kafkajs";
import type {
  DeadLetter,
  DeadLetterFailure,
  DeadLetterPage,
  LogPosition,
  LogRecord,
} from "./document-log.ts";
import { sendInTransaction } from "./kafka-appender.ts";
import type { OutgoingRecord } from "./kafka-batches.ts";
import { planRounds } from "./kafka-batches.ts";
import type { KafkaDeadLetterIndex } from "./kafka-dead-letter-index.ts";
import { fromLetter, idOf, offsetOf, toLetter, toReplayedMark } from "./kafka-dead-letter-record.ts";
import { isFenced } from "./kafka-error.ts";
import type { KafkaPartitionReader } from "./kafka-partition-reader.ts";
import { partitionOf } from "./partitioner.ts";
import { replayHeaders } from "./replay-headers.ts";

export interface DeadLetterParts {
  readonly topic: string;
  readonly deadLetterTopic: string;
  /** Of `topic`. */
  readonly partitions: number;
  readonly reader: KafkaPartitionReader;
  readonly index: KafkaDeadLetterIndex;
  /** Durable when it resolves. */
  readonly append: (record: OutgoingRecord) => Promise<void>;
  /** With one transactional id for all processes, so that each new one puts the one before out of action. */
  readonly createReplayer: () => Producer;
  /** Milliseconds until an answer to one request. */
  readonly requestTimeoutMs: number;
}

/** Letters replayed in one transaction. */
const replayBatch = 256;
/** Times that a replay begins anew because another process began one. */
const maxReplayAttempts = 10;
const deadLetterPartition = 0;

/** Dead letters as records of a topic with one partition, in the order of giving up. */
export class KafkaDeadLetters {
  readonly #parts: DeadLetterParts;
  #replaying: Promise<unknown> = Promise.resolve();

  constructor(parts: DeadLetterParts) {
    this.#parts = parts;
  }

  add(record: LogRecord, failure: DeadLetterFailure): Promise<void> {
    const letter = toLetter(record, failure, Date.now());
    return this.#parts.append({ ...letter, ...this.#place() });
  }

  async list(query: { tenant?: string; limit: number; after?: string }): Promise<DeadLetterPage> {
    if (!(query.limit >= 1)) throw invalidArgument("HW_LIMIT_INVALID", "limit must be at least 1.");
    const before = query.after === undefined ? Number.MAX_SAFE_INTEGER : offsetOf(query.after);
    if (before === undefined) {
      throw invalidArgument("HW_PAGE_TOKEN_INVALID", "The page token is not one that a list has given.");
    }
    const { index } = this.#parts;
    await index.catchUp();
    const older = index.offsets(query.tenant).filter((offset) => offset < before);
    const chosen = older.slice(-query.limit);
    const deadLetters = (await this.#read(chosen)).reverse();
    const [oldest] = chosen;
    const more = older.length > chosen.length && oldest !== undefined;
    return { deadLetters, next: more ? idOf(oldest) : undefined };
  }

  async count(tenant: string | undefined): Promise<number> {
    await this.#parts.index.catchUp();
    return this.#parts.index.count(tenant);
  }

  /**
   * Oldest first, so that a key's records keep their order. Each letter's record and the mark that it was replayed come
   * in one transaction; many letters take several.
   */
  replay(query: { tenant: string; ids?: readonly string[] }): Promise<number> {
    // Two at one time in one process would put each other out of action.
    const replayed = this.#replaying.then(() => this.#replay(query));
    this.#replaying = replayed.catch(() => {});
    return replayed;
  }

  async #replay(query: { tenant: string; ids?: readonly string[] }): Promise<number> {
    let replayed = 0;
    for (let attempt = 1; ; attempt += 1) {
      const producer = this.#parts.createReplayer();
      try {
        await producer.connect();
        while (true) {
          const count = await this.#replayBatch(producer, query);
          replayed += count;
          if (count < replayBatch) return replayed;
        }
      } catch (thrown) {
        if (!isFenced(thrown)) throw thrown;
        // Another process replays. What it leaves is chosen anew, from what there is then.
        if (attempt === maxReplayAttempts) throw replayContended(thrown);
        await delay(Math.random() * 50 * attempt);
      } finally {
        await producer.disconnect();
      }
    }
  }

  /**
   * No letter is replayed twice, whoever replays at the same time: the transaction has begun, and with it every other
   * replay is out of action, before the letters are looked at.
   */
  async #replayBatch(
    producer: Producer,
    { tenant, ids }: { tenant: string; ids?: readonly string[] },
  ): Promise<number> {
    const { index, requestTimeoutMs } = this.#parts;
    const choose = async () => {
      await index.catchUp();
      const wanted = ids && new Set(ids.map(offsetOf));
      const chosen = index.offsets(tenant).filter((offset) => !wanted || wanted.has(offset));
      const letters = await this.#read(chosen.slice(0, replayBatch));
      return {
        rounds: planRounds(letters.flatMap((letter) => this.#toReplay(letter))),
        result: letters.length,
      };
    };
    const { result, positions } = await sendInTransaction(producer, choose, requestTimeoutMs);
    await index.catchUp(endOf(positions, this.#parts.deadLetterTopic));
    return result;
  }

  #toReplay(letter: DeadLetter): OutgoingRecord[] {
    const { record } = letter;
    const { topic, partitions } = this.#parts;
    const again = { key: record.key, value: record.value, headers: replayHeaders(record) };
    return [
      { ...again, topic, partition: partitionOf(record.key, partitions) },
      { ...toReplayedMark(letter), ...this.#place() },
    ];
  }

  async #read(offsets: readonly number[]): Promise<DeadLetter[]> {
    const records = await this.#parts.reader.readAt(offsets);
    return records.flatMap((record) => fromLetter(record) ?? []);
  }

  #place() {
    return { topic: this.#parts.deadLetterTopic, partition: deadLetterPartition };
  }
}

/** Offset behind the last record in the topic. */
function endOf(positions: ReadonlyMap<OutgoingRecord, LogPosition>, topic: string): number {
  const offsets = [...positions].map(([record, { offset }]) => (record.topic === topic ? offset + 1 : 0));
  return Math.max(0, ...offsets);
}

function replayContended(cause: unknown): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.ABORTED, reason: "HW_REPLAY_CONTENDED", cause },
    message: "Other processes replay dead letters all the time.",
    action: "Try again.",
  });
}
