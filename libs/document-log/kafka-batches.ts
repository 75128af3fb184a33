import type { Message, ProducerBatch, RecordMetadata } from "kafkajs";
import type { LogPosition, NewLogRecord } from "./document-log.ts";

/** A record with the place it goes to. */
export interface OutgoingRecord extends NewLogRecord {
  readonly topic: string;
  readonly partition: number;
}

/** What takes batches: a producer, or one of its transactions. */
export interface BatchSender {
  sendBatch(batch: ProducerBatch): Promise<RecordMetadata[]>;
}

/** Bytes of one batch of one partition, below the 1 MiB that Kafka allows by default; a larger record goes alone. */
const maxBatchBytes = 900_000;
/** Bytes that Kafka adds to a record, at most. */
const recordOverhead = 64;
const allReplicas = -1;

/**
 * Splits records into rounds, each with one batch a partition that the broker takes as a whole. Rounds go one after
 * the other, so a partition keeps the order.
 */
export function planRounds(records: readonly OutgoingRecord[]): OutgoingRecord[][] {
  const rounds: OutgoingRecord[][] = [];
  const filling = new Map<string, { round: number; bytes: number }>();
  for (const record of records) {
    const size = sizeOf(record);
    const place = placeOf(record.topic, record.partition);
    let batch = filling.get(place);
    if (!batch || batch.bytes + size > maxBatchBytes) {
      batch = { round: batch ? batch.round + 1 : 0, bytes: 0 };
      filling.set(place, batch);
    }
    batch.bytes += size;
    rounds[batch.round] ??= [];
    rounds[batch.round]?.push(record);
  }
  return rounds;
}

/** @returns the position of each record of the round */
export async function sendRound(
  sender: BatchSender,
  round: readonly OutgoingRecord[],
  timeoutMs: number,
): Promise<Map<OutgoingRecord, LogPosition>> {
  const byTopic = Map.groupBy(round, ({ topic }) => topic);
  const topicMessages = [...byTopic].map(([topic, records]) => ({ topic, messages: records.map(messageOf) }));
  const written = await sender.sendBatch({ topicMessages, acks: allReplicas, timeout: timeoutMs });
  const next = new Map(
    written.map(({ topicName, partition, baseOffset }) => [
      placeOf(topicName, partition),
      Number(baseOffset),
    ]),
  );
  return new Map(
    round.map((record) => {
      const place = placeOf(record.topic, record.partition);
      const offset = next.get(place) ?? Number.NaN;
      next.set(place, offset + 1);
      return [record, { partition: record.partition, offset }];
    }),
  );
}

/** Bytes that the record takes in a batch, at most. */
export function sizeOf({ key, value, headers }: NewLogRecord): number {
  let size = recordOverhead + Buffer.byteLength(key) + (value?.length ?? 0);
  for (const [name, header] of Object.entries(headers))
    size += Buffer.byteLength(name) + Buffer.byteLength(header) + 10;
  return size;
}

function messageOf({ key, value, headers, partition }: OutgoingRecord): Message {
  const bytes = value && Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return { key, value: bytes, headers: { ...headers }, partition };
}

function placeOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}
