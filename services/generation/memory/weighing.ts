import { randomUUID } from "node:crypto";
import type { MemoryDecision } from "@headwater/proto/services/headwater/v1/memory";
import { MemoryAction } from "@headwater/proto/services/headwater/v1/memory";
import type { CommonGround } from "./embedder.ts";
import type { MemoryRecord } from "./memory-record.ts";
import type { Candidate, Judgement } from "./relation.ts";
import { relatedFrom } from "./relation.ts";
import { faded, firstStrength, strengthened } from "./strength.ts";
import type { Before, Surprise } from "./surprise.ts";
import { nearness, weighSurprise } from "./surprise.ts";

/** A statement that is weighed, and when. */
export interface Told {
  readonly text: string;
  readonly vector: Float32Array;
  /** Empty: by itself. */
  readonly conversationId: string;
  readonly at: Date;
}

/** What became of a statement, and the record to be written; undefined: nothing is. */
export interface Outcome {
  readonly decision: MemoryDecision;
  readonly record: MemoryRecord | undefined;
}

/** Memories that a statement is compared with, nearest first. */
const maxCandidates = 6;

export function surpriseOf(
  { vector, at }: Told,
  records: readonly MemoryRecord[],
  { vectors, baseline }: CommonGround,
  halfLifeMs: number,
): Surprise {
  const traces = [
    ...records.map((record) => ({
      vector: record.vector,
      strength: faded(record.strength, record.strengthenedAt, at, halfLifeMs),
    })),
    ...vectors.map((common) => ({ vector: common, strength: 1 })),
  ];
  return weighSurprise(vector, traces, baseline, lastOf(records, at));
}

export function candidatesFor(
  { vector }: Told,
  records: readonly MemoryRecord[],
  { baseline }: CommonGround,
): Candidate[] {
  return records
    .map(({ id, text, vector: known }) => ({ id, text, near: nearness(vector, known, baseline) }))
    .filter(({ near }) => near >= relatedFrom)
    .sort((a, b) => b.near - a.near)
    .slice(0, maxCandidates);
}

/** @param threshold that a new statement's score has to reach */
export function decide(
  told: Told,
  surprise: Surprise,
  { relation, candidate }: Judgement,
  context: {
    readonly records: readonly MemoryRecord[];
    readonly fingerprint: string;
    readonly threshold: number;
    readonly halfLifeMs: number;
  },
): Outcome {
  const { records, fingerprint, threshold, halfLifeMs } = context;
  const { score, distance, density, momentary, momentum } = surprise;
  const known = records.find(({ id }) => id === candidate?.id);
  const said = { text: told.text, vector: told.vector, fingerprint, surprise: score, lastSurprise: score };
  const touched = { strengthenedAt: told.at, updatedAt: told.at, lastSurprise: score };
  const outcome = (action: MemoryAction, record?: MemoryRecord): Outcome => ({
    decision: {
      statement: told.text,
      action,
      surprise: score,
      threshold,
      parts: { distance, density, momentary, momentum },
      memoryId: record?.id ?? "",
    },
    record,
  });
  if (known !== undefined) {
    const strength = strengthened(faded(known.strength, known.strengthenedAt, told.at, halfLifeMs));
    if (relation === "repeats") return outcome(MemoryAction.REPEATED, { ...known, ...touched, strength });
    const { conversationId } = told;
    return outcome(MemoryAction.UPDATED, { ...known, ...said, ...touched, strength, conversationId });
  }
  if (score < threshold) return outcome(MemoryAction.SKIPPED);
  return outcome(MemoryAction.STORED, {
    id: randomUUID(),
    ...said,
    ...touched,
    strength: firstStrength(score),
    recallCount: 0,
    conversationId: told.conversationId,
    createdAt: told.at,
  });
}

/** The momentum is that of the memory that was last told of: forgotten with it. */
function lastOf(records: readonly MemoryRecord[], now: Date): Before | undefined {
  let last: MemoryRecord | undefined;
  for (const record of records) if (!last || record.updatedAt > last.updatedAt) last = record;
  if (!last) return undefined;
  return {
    vector: last.vector,
    surprise: last.lastSurprise,
    ageMs: now.getTime() - last.updatedAt.getTime(),
  };
}
