import { readFile } from "node:fs/promises";
import { createExtractiveModel } from "@headwater/language-model";
import type { MemoryDecision } from "@headwater/proto/services/headwater/v1/memory";
import { MemoryAction } from "@headwater/proto/services/headwater/v1/memory";
import { z } from "zod";
import type { Memories } from "../memories.ts";

const expectation = z.enum(["stored", "repeated", "updated", "skipped"]);

/** What memory is to do with a message. */
export type Expectation = z.infer<typeof expectation>;

const lifeFile = z.array(
  z.object({
    life: z.string(),
    turns: z.array(
      z.object({
        says: z.string(),
        expects: expectation,
        /** Of "repeated" and "updated": the turn, from 1, that taught the memory. */
        of: z.int().optional(),
      }),
    ),
  }),
);

/** Messages of one person over time, each with what memory is to do with it. */
export type Life = z.infer<typeof lifeFile>[number];

/** What memory did with a message. */
export interface Outcome {
  readonly turn: Life["turns"][number];
  readonly did: Expectation;
  /** Whether what was repeated or updated is the memory that the turn speaks of. */
  readonly rightMemory: boolean;
  readonly decisions: readonly MemoryDecision[];
}

/** Of the two parts, rules and thresholds were chosen on the first alone. */
export type Part = "development" | "test";

export async function readLives(part: Part): Promise<Life[]> {
  return lifeFile.parse(JSON.parse(await readFile(new URL(`${part}.json`, import.meta.url), "utf8")));
}

const model = createExtractiveModel({ rankSentences: async () => undefined });

/** Of the decisions on one message's statements the one that says most. */
const byWeight: readonly (readonly [MemoryAction, Expectation])[] = [
  [MemoryAction.UPDATED, "updated"],
  [MemoryAction.STORED, "stored"],
  [MemoryAction.REPEATED, "repeated"],
];

/**
 * Tells memory a life, message by message, read by rules.
 *
 * @param pass called before each message, so that time can pass
 */
export async function live(life: Life, memories: Memories, pass: () => void = () => {}): Promise<Outcome[]> {
  const owner = { tenant: "default", owner: life.life };
  const outcomes: Outcome[] = [];
  const signal = new AbortController().signal;
  for (const [at, turn] of life.turns.entries()) {
    pass();
    const decisions = await memories.observe(
      { ...owner, id: String(at), conversationId: "", message: turn.says, answer: "", model },
      signal,
    );
    const [, did] = byWeight.find(([action]) => decisions.some((made) => made.action === action)) ?? [
      undefined,
      "skipped" as const,
    ];
    const told = turn.of === undefined ? [] : (outcomes[turn.of - 1]?.decisions ?? []);
    const rightMemory =
      turn.of === undefined ||
      decisions.some(
        ({ memoryId }) => memoryId !== "" && told.some((before) => before.memoryId === memoryId),
      );
    outcomes.push({ turn, did, rightMemory, decisions });
  }
  return outcomes;
}

/** How well one kind of decision was made. */
export interface Quality {
  readonly precision: number;
  readonly recall: number;
  readonly expected: number;
}

/** A decision on the wrong memory is wrong. */
export function qualityOf(outcomes: readonly Outcome[], kind: Expectation): Quality {
  const right = outcomes.filter(
    (made) => made.did === kind && made.turn.expects === kind && made.rightMemory,
  );
  const made = outcomes.filter(({ did }) => did === kind).length;
  const expected = outcomes.filter(({ turn }) => turn.expects === kind).length;
  return { precision: right.length / made, recall: right.length / expected, expected };
}
