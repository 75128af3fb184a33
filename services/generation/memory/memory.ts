import type { Memory, MemoryDecision } from "@headwater/proto/services/headwater/v1/memory";
import type { Owner, Turn } from "../turns/turn.ts";

/** A turn that has been answered. */
export interface AnsweredTurn
  extends Pick<Turn, "tenant" | "owner" | "id" | "conversationId" | "message" | "model"> {
  /** The whole text, with its citation markers. */
  readonly answer: string;
}

/**
 * Port: what turns take from memory and give to it. A turn whose request says `skip_memory` calls neither.
 *
 * Memory helps, and is never needed: what these throw is logged and counted, and the turn goes on without.
 */
export interface TurnMemory {
  /**
   * Called before the turn is answered, with the question as it can be understood by itself.
   *
   * @returns nearest first
   */
  recall(owner: Owner, text: string, signal: AbortSignal): Promise<readonly Memory[]>;
  /**
   * Called once the answer is complete, before the turn's end is streamed: it holds up the end.
   *
   * @returns one decision for each statement that was weighed, kept or not
   */
  observe(turn: AnsweredTurn, signal: AbortSignal): Promise<readonly MemoryDecision[]>;
}
