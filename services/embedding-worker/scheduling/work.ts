import type { SpanContext } from "@opentelemetry/api";
import type { EncoderInput, EncoderOutput, PairInput } from "../inference/job.ts";

/** Most urgent first. */
export const lanes = ["query", "rerank", "passage"] as const;
export type Lane = (typeof lanes)[number];

interface WorkBase {
  readonly lane: Lane;
  /** Whom the work is for; the flows of a lane share the model fairly. One object a call. */
  readonly flow: object;
  /** Fires when the caller has left or time is up; what has not reached the model by then never does. */
  readonly signal: AbortSignal;
  /** The caller's span; the span of the batch links to it. */
  readonly span?: SpanContext;
}

/** One text for one of the models. */
export interface EncodeWork extends WorkBase {
  readonly kind: "encode";
  readonly input: EncoderInput;
}
export interface PairWork extends WorkBase {
  readonly kind: "pairs";
  readonly input: PairInput;
}
export type Work = EncodeWork | PairWork;

/** What came of a text, and how long it took. */
export interface Ran<Output> {
  readonly output: Output;
  readonly queueMs: number;
  /** Of the whole batch. */
  readonly inferenceMs: number;
}

export type RanOf<W extends Work> = Ran<W extends EncodeWork ? EncoderOutput : number>;

export function tokensOf(work: Work): number {
  return work.input.ids.length;
}
