/** A numbered source that an answer may cite. */
export interface Source {
  /** From 1; written as [1] in prompts and answers. */
  readonly number: number;
  readonly title: string;
  readonly text: string;
}

export interface ModelRequest {
  readonly question: string;
  readonly sources: readonly Source[];
  /** The rules for the model. */
  readonly instructions: string;
  /** Question and sources as the prompt builder laid them out; an extractive model reads the fields above instead. */
  readonly prompt: string;
  readonly maxOutputTokens: number;
  readonly temperature?: number;
}

/** Why a model stopped. */
export type FinishReason = "complete" | "length" | "no-support" | "refused";

export type ModelEvent =
  /** Text to be appended; cites sources as [n] right after the claim. */
  | { readonly type: "text"; readonly text: string }
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
  /** Always last. */
  | {
      readonly type: "finish";
      readonly reason: FinishReason;
      readonly inputTokens: number;
      readonly outputTokens: number;
    };

/** Port: a model that writes answers. */
export interface LanguageModel {
  readonly name: string;
  /** "extractive" or "openai-compatible". */
  readonly provider: string;
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
