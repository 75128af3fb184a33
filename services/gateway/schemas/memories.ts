import type { Memory, MemoryDecision } from "@headwater/client";
import { memoryActions } from "@headwater/client";
import { z } from "zod";
import { nextPageTokenSchema, timeSchema } from "./page.ts";
import { named } from "./registry.ts";

const statement = z.string().min(1).max(2048);

export const rememberRequestSchema = named("RememberRequest", z.strictObject({ statement }));

export const correctMemoryRequestSchema = named(
  "CorrectMemoryRequest",
  z.strictObject({ text: statement.describe("Takes the place of the memory's words") }),
);

export const searchMemoriesRequestSchema = named(
  "SearchMemoriesRequest",
  z.strictObject({
    query: z.string().min(1).max(8192),
    limit: z.int().min(1).max(50).optional().describe("Default 8"),
  }),
);

export const memorySchema = named(
  "Memory",
  z.object({
    id: z.string(),
    text: z.string(),
    surprise: z.number().describe("How much it surprised when it was kept, 0 to 1"),
    strength: z.number().describe("How strong it is now, 0 to 1: fades, and grows when recalled or repeated"),
    recall_count: z.number(),
    conversation_id: z.string().describe("Conversation that taught it; empty: it was told by itself"),
    created_time: timeSchema.optional(),
    updated_time: timeSchema.optional(),
    similarity: z.number().describe("Nearness to the text that was searched, cosine; 0 where none was"),
  }),
);

export const memoryListSchema = named(
  "MemoryList",
  z.object({
    memories: z.array(memorySchema).describe("Newest first"),
    next_page_token: nextPageTokenSchema,
  }),
);

export const foundMemoriesSchema = named(
  "FoundMemories",
  z.object({ memories: z.array(memorySchema).describe("Nearest first") }),
);

export const memoryDecisionSchema = named(
  "MemoryDecision",
  z.object({
    statement: z.string(),
    action: z.enum(memoryActions).describe("updated: took the place of a memory that it contradicts"),
    surprise: z.number().describe("The score, 0 to 1"),
    threshold: z.number().describe("What the score had to reach"),
    parts: z.record(z.string(), z.number()).describe("Parts of the score"),
    memory_id: z.string().describe("The memory that was stored, strengthened or replaced; empty: none"),
  }),
);

export const forgottenSchema = named("Forgotten", z.object({ forgotten: z.number() }));

export function memoryJson(memory: Memory): z.output<typeof memorySchema> {
  return {
    id: memory.id,
    text: memory.text,
    surprise: memory.surprise,
    strength: memory.strength,
    recall_count: memory.recallCount,
    conversation_id: memory.conversationId,
    created_time: memory.createdTime?.toISOString(),
    updated_time: memory.updatedTime?.toISOString(),
    similarity: memory.similarity,
  };
}

export function decisionJson(decision: MemoryDecision): z.output<typeof memoryDecisionSchema> {
  return {
    statement: decision.statement,
    action: decision.action,
    surprise: decision.surprise,
    threshold: decision.threshold,
    parts: { ...decision.parts },
    memory_id: decision.memoryId,
  };
}
