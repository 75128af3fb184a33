import type { LanguageModel, ModelMessage } from "@headwater/language-model";
import type { Filter } from "@headwater/proto/services/headwater/v1/common";
import type { ChatResponse, DeepPartial } from "@headwater/proto/services/headwater/v1/conversation";
import type { Memory } from "@headwater/proto/services/headwater/v1/memory";

/** Whose documents, and who converses. */
export interface Owner {
  readonly tenant: string;
  readonly owner: string;
}

/** A message to be answered, with all that its answer depends on. */
export interface Turn extends Owner {
  readonly id: string;
  /** Empty: stateless. */
  readonly conversationId: string;
  /** As the person wrote it. */
  readonly message: string;
  /** The message as it can be searched without the history. */
  readonly standaloneQuestion: string;
  /** What came before, oldest first, within the budget: perhaps a summary as a system message, then messages of both sides. */
  readonly history: readonly ModelMessage[];
  readonly memories: readonly Memory[];
  readonly model: LanguageModel;
  readonly filter: Filter | undefined;
  readonly maxPassages: number;
  readonly maxOutputTokens: number;
  readonly temperature: number | undefined;
  /** "name", "name@label" or "name@version"; empty: the runner's own. */
  readonly prompt: string;
}

/** What a runner streams: all events of a turn but the first and those of memory, which the conversation adds. */
export type TurnEvent = NonNullable<DeepPartial<ChatResponse>["event"]>;

/** One event and the agent's step that it belongs to; 0 outside of a loop. */
export interface StepEvent {
  readonly step: number;
  readonly event: TurnEvent;
}

export interface TurnContext {
  /** Fires when the turn is cancelled. */
  readonly signal: AbortSignal;
  /**
   * Waits until somebody has decided on a call that was streamed as `approval`.
   *
   * @returns false also when `deadline` has passed
   */
  waitForApproval(callId: string, deadline: Date): Promise<boolean>;
}

/**
 * Answers a turn. Pulled: a slow reader slows the model. The last event is `end`, unless it throws; the end of a turn
 * that failed is made by whoever runs it.
 *
 * @throws HeadwaterError
 */
export type RunTurn = (turn: Turn, context: TurnContext) => AsyncGenerator<StepEvent>;
