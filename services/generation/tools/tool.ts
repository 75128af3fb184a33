import type { ToolDefinition } from "@headwater/language-model";
import type { Filter } from "@headwater/proto/services/headwater/v1/common";
import type { Hit } from "@headwater/proto/services/headwater/v1/search";

/** What a tool knows of the turn that calls it. */
export interface ToolContext {
  readonly tenant: string;
  readonly owner: string;
  /** The turn's; a tool that searches searches within it. */
  readonly filter: Filter | undefined;
  /** Passages that one search brings, 1 to 50. */
  readonly maxPassages: number;
  /**
   * Makes passages citable: streams them to the reader, and gives each its number.
   *
   * @returns one number for each hit, from 1 over the whole turn; the same passage has the same number
   */
  cite(hits: readonly Hit[]): readonly number[];
  /** Fires when the turn ends before the tool does, or the tool's time is over. */
  readonly signal: AbortSignal;
}

/** What a tool said. */
export interface ToolOutcome {
  /** What the model reads. Not yet cut, quoted or guarded: the agent does that. */
  readonly text: string;
  /** True: it failed, and `text` says why in words that help the model to do better. */
  readonly failed: boolean;
}

/** A tool that agents may have. */
export interface Tool extends ToolDefinition {
  /** "built-in", "openapi:NAME", "mcp:NAME" or "sandbox". */
  readonly source: string;
  /** True: it changes something outside, or reaches where the operator wants to be asked. */
  readonly needsApproval: boolean;
  /** True: what it says comes from outside (documents, web, other servers), and may try to give orders. */
  readonly untrusted: boolean;
  /**
   * @param input arguments that were checked against `parameters`
   * @throws HeadwaterError; the agent tells the model of it
   */
  run(input: Readonly<Record<string, unknown>>, context: ToolContext): Promise<ToolOutcome>;
}

/** Where tools come from. */
export interface ToolSource {
  /** Asked for each turn, so that a server that comes back has its tools again. */
  tools(tenant: string, signal: AbortSignal): Promise<ToolListing>;
  close(): Promise<void>;
}

export interface ToolListing {
  readonly tools: readonly Tool[];
  /** Servers that do not answer: "name: why". */
  readonly unavailable: readonly string[];
}
