import type { Client } from "@connectrpc/connect";
import type {
  MemoryDecision as DecisionMessage,
  Memory as MemoryMessage,
  MemoryService,
} from "@headwater/proto/connect/headwater/v1/memory";
import type { CallOptions, Identity, ListPageOptions } from "./call.ts";
import { connectOptions, pageOf, unary } from "./call.ts";
import { toDate } from "./document.ts";

/** A statement that is remembered. */
export interface Memory {
  readonly id: string;
  readonly text: string;
  /** How much it surprised when it was kept, 0 to 1. */
  readonly surprise: number;
  /** How strong it is now, 0 to 1. */
  readonly strength: number;
  readonly recallCount: number;
  /** Conversation that taught it; empty: it was told by itself. */
  readonly conversationId: string;
  readonly createdTime: Date | undefined;
  readonly updatedTime: Date | undefined;
  /** Nearness to the text that was searched, cosine; 0 where none was. */
  readonly similarity: number;
}

export const memoryActions = ["stored", "repeated", "updated", "skipped"] as const;
export type MemoryAction = (typeof memoryActions)[number];

/** How a statement was weighed. */
export interface MemoryDecision {
  readonly statement: string;
  readonly action: MemoryAction;
  /** The score, 0 to 1. */
  readonly surprise: number;
  /** What the score had to reach. */
  readonly threshold: number;
  /** Parts of the score: "distance", "density", "momentary", "momentum". */
  readonly parts: Readonly<Record<string, number>>;
  /** The memory that was stored, strengthened or replaced; empty: none. */
  readonly memoryId: string;
}

export interface SearchMemoriesOptions extends CallOptions {
  /** 1 to 50. Default 8. */
  limit?: number;
}

/** What conversations have taught, for one owner. */
export interface Memories {
  /** Newest first. */
  list(options?: ListPageOptions): Promise<{ memories: Memory[]; nextPageToken: string }>;
  /** Nearest first. */
  search(query: string, options?: SearchMemoriesOptions): Promise<Memory[]>;
  /** Weighs a statement, and keeps it if it surprises. */
  remember(statement: string, options?: CallOptions): Promise<MemoryDecision>;
  /** Puts other words in a memory's place. */
  correct(id: string, text: string, options?: CallOptions): Promise<Memory>;
  /** Twice is harmless. */
  forget(id: string, options?: CallOptions): Promise<void>;
  /** Resolves with how many were forgotten. */
  forgetAll(options?: CallOptions): Promise<number>;
}

export function createMemories(service: Client<typeof MemoryService>, identity: Identity): Memories {
  return {
    async list(options = {}) {
      const request = { ...identity.of(options), ...pageOf(options) };
      const { memories, nextPageToken } = await unary(service.listMemories(request, connectOptions(options)));
      return { memories: memories.map(toMemory), nextPageToken };
    },
    async search(query, options = {}) {
      const request = { ...identity.of(options), query, limit: options.limit ?? 0 };
      const { memories } = await unary(service.searchMemories(request, connectOptions(options)));
      return memories.map(toMemory);
    },
    async remember(statement, options = {}) {
      const request = { ...identity.of(options), statement };
      const { decision } = await unary(service.remember(request, connectOptions(options)));
      return toDecision(decision);
    },
    async correct(id, text, options = {}) {
      const request = { ...identity.of(options), id, text };
      const { memory } = await unary(service.correctMemory(request, connectOptions(options)));
      return toMemory(memory);
    },
    async forget(id, options = {}) {
      await unary(service.forgetMemory({ ...identity.of(options), id }, connectOptions(options)));
    },
    async forgetAll(options = {}) {
      const request = identity.of(options);
      return (await unary(service.forgetAllMemories(request, connectOptions(options)))).forgotten;
    },
  };
}

export function toMemory(message: MemoryMessage | undefined): Memory {
  return {
    id: message?.id ?? "",
    text: message?.text ?? "",
    surprise: message?.surprise ?? 0,
    strength: message?.strength ?? 0,
    recallCount: message?.recallCount ?? 0,
    conversationId: message?.conversationId ?? "",
    createdTime: toDate(message?.createdTime),
    updatedTime: toDate(message?.updatedTime),
    similarity: message?.similarity ?? 0,
  };
}

/** Actions are numbered from 1 in the order of `memoryActions`; one that a newer server added reads as "skipped". */
export function toDecision(message: DecisionMessage | undefined): MemoryDecision {
  return {
    statement: message?.statement ?? "",
    action: memoryActions[(message?.action ?? 0) - 1] ?? "skipped",
    surprise: message?.surprise ?? 0,
    threshold: message?.threshold ?? 0,
    parts: message?.parts ?? {},
    memoryId: message?.memoryId ?? "",
  };
}
