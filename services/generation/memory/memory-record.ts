import type { Memory } from "@headwater/proto/services/headwater/v1/memory";
import { toVector } from "./vectors.ts";

/** A memory as it is kept. */
export interface MemoryRecord {
  readonly id: string;
  readonly text: string;
  readonly vector: Float32Array;
  /** Of the model that made the vector. */
  readonly fingerprint: string;
  readonly surprise: number;
  /** As it was at `strengthenedAt`. */
  readonly strength: number;
  readonly strengthenedAt: Date;
  readonly recallCount: number;
  readonly conversationId: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Surprise of what was last told of it. */
  readonly lastSurprise: number;
}

/** A row of the table `memories`. */
export interface MemoryRow {
  readonly id: string;
  readonly text: string;
  /** Base64, which the embedded store hands over ten times faster than bytes. */
  readonly vector: string;
  readonly fingerprint: string;
  readonly surprise: number;
  readonly strength: number;
  readonly strengthened_at: Date;
  readonly recall_count: number;
  readonly conversation_id: string;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly last_surprise: number;
}

export const memoryColumns =
  "id, text, vector, fingerprint, surprise, strength, strengthened_at, recall_count, conversation_id, created_at, updated_at, last_surprise";

/** As they are read. */
export const selectedMemory = memoryColumns.replace("vector", "encode(vector, 'base64') AS vector");

export function recordOf(row: MemoryRow): MemoryRecord {
  return {
    id: row.id,
    text: row.text,
    vector: toVector(Buffer.from(row.vector, "base64")),
    fingerprint: row.fingerprint,
    surprise: row.surprise,
    strength: row.strength,
    strengthenedAt: row.strengthened_at,
    recallCount: row.recall_count,
    conversationId: row.conversation_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastSurprise: row.last_surprise,
  };
}

/**
 * @param strength as it is now
 * @param similarity cosine to what was searched; 0 where nothing was
 */
export function toMessage(record: MemoryRecord, strength: number, similarity: number): Memory {
  return {
    id: record.id,
    text: record.text,
    surprise: record.surprise,
    strength,
    recallCount: record.recallCount,
    conversationId: record.conversationId,
    createdTime: record.createdAt,
    updatedTime: record.updatedAt,
    similarity,
  };
}
