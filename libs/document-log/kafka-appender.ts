import { randomUUID } from "node:crypto";
import { HeadwaterError, status } from "@headwater/errors";
import type { Kafka, Producer } from "kafkajs";
import type { LogPosition } from "./document-log.ts";
import type { OutgoingRecord } from "./kafka-batches.ts";
import { planRounds, sendRound, sizeOf } from "./kafka-batches.ts";
import { fromKafka } from "./kafka-error.ts";
import { KafkaSession } from "./kafka-session.ts";

type Rounds = readonly (readonly OutgoingRecord[])[];

interface Waiting {
  readonly records: readonly OutgoingRecord[];
  readonly resolve: (positions: LogPosition[]) => void;
  readonly reject: (thrown: unknown) => void;
  /** Fires when the caller has given up. */
  readonly signal: AbortSignal;
}

/** Of one send; what waits beyond goes with the next. */
const maxGathered = { records: 5_000, bytes: 8 * 1024 * 1024 };
/**
 * Milliseconds after which the broker undoes a transaction whose producer died; until then consumers wait at it. Above
 * the longest pause of a healthy producer.
 */
export const transactionTimeoutMs = 15_000;
/**
 * The first retry is quick: a transaction that begins while the one before is still being marked is asked to come
 * back, which takes the broker a few milliseconds.
 */
export const producerRetry = { retries: 8, initialRetryTime: 5, multiplier: 2, maxRetryTime: 500 };

/**
 * Appends records, one send at a time: what comes meanwhile goes together in the next, so that many small appends share
 * the cost, and an append that failed can never be overtaken by its own retry.
 *
 * What falls into one batch of one partition is all or none by itself; anything else goes in a transaction.
 */
export class KafkaAppender {
  readonly #session: KafkaSession<Producer>;
  readonly #timeoutMs: number;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  /** @param timeoutMs until an answer to one request */
  constructor(kafka: Kafka, { clientId, timeoutMs }: { clientId: string; timeoutMs: number }) {
    this.#timeoutMs = timeoutMs;
    const transactionalId = `${clientId}-${randomUUID()}`;
    this.#session = new KafkaSession(() =>
      kafka.producer({
        ...{ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false },
        ...{ transactionalId, transactionTimeout: transactionTimeoutMs, retry: producerRetry },
      }),
    );
  }

  /**
   * @param signal the caller gives up: what has not been sent will not be
   * @throws what kafkajs threw
   */
  append(records: readonly OutgoingRecord[], signal: AbortSignal): Promise<LogPosition[]> {
    const { promise, resolve, reject } = Promise.withResolvers<LogPosition[]>();
    this.#waiting.push({ records, resolve, reject, signal });
    this.#running ??= this.#run();
    return promise;
  }

  /** Lets the send under way end; what waits is refused. */
  async close(): Promise<void> {
    for (const { reject } of this.#waiting.splice(0)) reject(closed());
    await this.#running;
    await this.#session.close();
  }

  async #run(): Promise<void> {
    // One turn of the event loop, so that appends made together are sent together.
    await new Promise((resolve) => setImmediate(resolve));
    for (let gathered = this.#gather(); gathered.length > 0; gathered = this.#gather())
      await this.#settle(gathered);
    // In the same turn as the last look: whatever comes after it starts a new run.
    this.#running = undefined;
  }

  #gather(): Waiting[] {
    const gathered: Waiting[] = [];
    let [records, bytes] = [0, 0];
    while (records < maxGathered.records && bytes < maxGathered.bytes) {
      const next = this.#waiting.shift();
      if (!next) break;
      if (next.signal.aborted) {
        next.reject(next.signal.reason);
        continue;
      }
      gathered.push(next);
      records += next.records.length;
      for (const record of next.records) bytes += sizeOf(record);
    }
    return gathered;
  }

  /** Never rejects. */
  async #settle(gathered: readonly Waiting[]): Promise<void> {
    try {
      const positions = await this.#send(gathered);
      for (const { records, resolve } of gathered)
        resolve(records.flatMap((record) => positions.get(record) ?? []));
    } catch (thrown) {
      const [first, ...others] = gathered;
      // What the broker refuses is one append's fault: the others must not fail with it.
      if (others.length > 0 && fromKafka(thrown).code !== status.UNAVAILABLE)
        for (const one of gathered) await this.#settle([one]);
      else for (const { reject } of [first, ...others].filter((one) => one !== undefined)) reject(thrown);
    }
  }

  #send(gathered: readonly Waiting[]): Promise<Map<OutgoingRecord, LogPosition>> {
    const rounds = planRounds(gathered.flatMap(({ records }) => records));
    const [only, ...more] = rounds;
    return this.#session.use(async (producer) => {
      if (only && more.length === 0 && gathered.every(({ records }) => isOnePlace(records)))
        return sendRound(producer, only, this.#timeoutMs);
      const choose = async () => ({ rounds, result: undefined });
      return (await sendInTransaction(producer, choose, this.#timeoutMs)).positions;
    });
  }
}

/**
 * All or none.
 *
 * @param choose what to send, once the transaction has begun, and what to return
 */
export async function sendInTransaction<Result>(
  producer: Producer,
  choose: () => Promise<{ rounds: Rounds; result: Result }>,
  timeoutMs: number,
): Promise<{ result: Result; positions: Map<OutgoingRecord, LogPosition> }> {
  const transaction = await producer.transaction();
  const positions = new Map<OutgoingRecord, LogPosition>();
  try {
    const { rounds, result } = await choose();
    for (const round of rounds)
      for (const [record, position] of await sendRound(transaction, round, timeoutMs))
        positions.set(record, position);
    await transaction.commit();
    return { result, positions };
  } catch (thrown) {
    // Where this fails too, the next producer of the same id undoes the transaction, or the broker after its timeout.
    await transaction.abort().catch(() => {});
    throw thrown;
  }
}

function isOnePlace(records: readonly OutgoingRecord[]): boolean {
  const [first] = records;
  return records.every(({ topic, partition }) => topic === first?.topic && partition === first.partition);
}

function closed(): HeadwaterError {
  return new HeadwaterError({
    ...{
      code: status.FAILED_PRECONDITION,
      reason: "HW_LOG_CLOSED",
      message: "The document log has been closed.",
    },
  });
}
