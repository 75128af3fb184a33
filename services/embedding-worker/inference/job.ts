import type { Pooling } from "../model/encoder-folder.ts";

/** What a thread needs to know to load its models. */
export interface ThreadModels {
  readonly encoder: {
    readonly modelFile: string;
    readonly padTokenId: number;
    readonly pooling: Pooling;
    readonly dimensions: number;
    readonly answerHeadFile: string | undefined;
  };
  readonly crossEncoder?: { readonly modelFile: string; readonly padTokenId: number };
  /** Cores that each session computes on. */
  readonly threads: number;
}

/** A text as the encoder reads it. */
export interface EncoderInput {
  readonly ids: Int32Array;
  /** The pooled vector is wanted. */
  readonly vector: boolean;
  /** The vectors of the tokens are wanted, as `packTokenVectors` packs them. */
  readonly tokens: boolean;
}

/** A pair of texts as the cross-encoder reads it. */
export interface PairInput {
  readonly ids: Int32Array;
  readonly typeIds: Int32Array;
}

/** Work for one thread, done in one go. */
export type Job =
  | { readonly kind: "encode"; readonly inputs: readonly EncoderInput[] }
  | { readonly kind: "pairs"; readonly inputs: readonly PairInput[] }
  /** Packed token vectors of a query and of passages. */
  | { readonly kind: "max-sim"; readonly query: Uint8Array; readonly passages: readonly Uint8Array[] }
  /** The same, of a question and of what may answer it. */
  | { readonly kind: "answer-odds"; readonly question: Uint8Array; readonly sentences: readonly InContext[] };

/** Packed token vectors of a sentence and of its neighbours; undefined: it has none. */
export interface InContext {
  readonly before: Uint8Array | undefined;
  readonly own: Uint8Array;
  readonly after: Uint8Array | undefined;
}

export interface EncoderOutput {
  /** Of length 1. Undefined where it was not asked for. */
  readonly vector: Float32Array | undefined;
  readonly tokens: Uint8Array | undefined;
}

/** What comes of a job, one for each of its inputs. */
export interface JobOutputs {
  readonly encode: readonly EncoderOutput[];
  readonly pairs: readonly number[];
  /** For each token of the query its best cosine; none where query or passage has no tokens. */
  readonly "max-sim": readonly Float32Array[];
  /** Natural logarithms of odds; undefined where question or passage has no tokens. */
  readonly "answer-odds": readonly (number | undefined)[];
}

export type JobOf<Kind extends Job["kind"]> = Extract<Job, { kind: Kind }>;

/** Outputs, and how long the thread was at it. */
export interface Done<Kind extends Job["kind"]> {
  readonly outputs: JobOutputs[Kind];
  readonly milliseconds: number;
  /** Of this thread alone, not of those that a session of several threads has beside it. */
  readonly cpuMilliseconds: number;
}

/** To a thread. Urgent jobs go ahead of the others that wait in the thread. */
export interface JobMessage {
  readonly id: number;
  readonly urgent: boolean;
  readonly job: Job;
}

/** From a thread. */
export type ThreadMessage =
  | { readonly kind: "ready" }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "done"; readonly id: number; readonly done: Done<Job["kind"]> }
  | { readonly kind: "failed"; readonly id: number; readonly message: string };
