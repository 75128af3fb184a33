/** A numbered source that an answer may cite. */
export interface Source {
  /** From 1; written as [1] in prompts and answers. */
  readonly number: number;
  readonly title: string;
  readonly text: string;
}

/** A call that a model asks for. */
export interface ToolCall {
  /** The model's own, unique within a turn; comes back with the result. */
  readonly id: string;
  readonly name: string;
  /** JSON as the model wrote it: it may be anything but JSON. */
  readonly arguments: string;
}

/** What a model reads, oldest first. */
export type ModelMessage =
  | { readonly role: "system"; readonly text: string }
  | { readonly role: "user"; readonly text: string }
  | { readonly role: "assistant"; readonly text: string; readonly toolCalls?: readonly ToolCall[] }
  | {
      readonly role: "tool";
      readonly callId: string;
      readonly name: string;
      readonly text: string;
      readonly failed: boolean;
    };

/** A tool as a model is told of it. */
export interface ToolDefinition {
  /** 1 to 64 of A-Z a-z 0-9 _ - */
  readonly name: string;
  readonly description: string;
  /** JSON Schema (draft 2020-12) of an object. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface ModelRequest {
  /** What an extractive model answers, from `sources` alone. */
  readonly question: string;
  readonly sources: readonly Source[];
  /** What a model that writes reads: rules, history, sources and question as the prompt builder laid them out. */
  readonly messages: readonly ModelMessage[];
  /** Only for models whose `toolCalling` is "native". */
  readonly tools?: readonly ToolDefinition[];
  readonly maxOutputTokens: number;
  readonly temperature?: number;
  /** Tokens to choose from at each step, from 1; services that do not know it ignore it. */
  readonly topK?: number;
  /** The model ends before it writes one of these. */
  readonly stopSequences?: readonly string[];
}

/** Why a model stopped. */
export type FinishReason = "complete" | "length" | "no-support" | "refused" | "tool-calls";

/** What one call of a model used. */
export interface ModelUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** In US dollars by the prices of the settings; 0 where none are set. */
  readonly cost: number;
}

export type ModelEvent =
  /** Text to be appended; cites sources as [n] right after the claim. */
  | { readonly type: "text"; readonly text: string }
  /** Reasoning that the model shows; no part of the answer. */
  | { readonly type: "thought"; readonly text: string }
  /** A whole call, once its arguments are known. */
  | { readonly type: "tool-call"; readonly call: ToolCall }
  /**
   * Where the evidence for the claim before stands, for models that know it exactly: offsets into the source's text,
   * UTF-16 code units, half-open. Comes right after the text that ends with its [n].
   */
  | {
      readonly type: "evidence";
      readonly source: number;
      readonly start: number;
      readonly end: number;
      readonly support: number;
    }
  /** Always last. `model`: who wrote it, where a fallback answered for the model that was asked. */
  | {
      readonly type: "finish";
      readonly reason: FinishReason;
      readonly usage: ModelUsage;
      readonly model: string;
    };

/** "native": takes `tools`. "text": writes and reads calls as text. "none": writes answers from sources only. */
export type ToolCalling = "native" | "text" | "none";

/** Port: a model that writes answers. */
export interface LanguageModel {
  readonly name: string;
  /** "extractive", "openai-compatible", "openai", "anthropic" or "cohere". */
  readonly provider: string;
  readonly toolCalling: ToolCalling;
  /** Longest prompt and answer together, in tokens; undefined: the model reads `sources` and has no such limit. */
  readonly contextTokens: number | undefined;
  /**
   * Streams an answer. Pulled: the next piece is fetched when the caller asks for it, so a slow reader slows the
   * model. Aborting ends the model's own request.
   *
   * @throws HeadwaterError UNAVAILABLE, RESOURCE_EXHAUSTED (with a retry hint where the model gave one) or INTERNAL
   */
  generate(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
  close(): Promise<void>;
}
