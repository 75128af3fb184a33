/** What the generator is told to do; phases may run side by side. */
export type LoadPhase = { readonly startAfterMs?: number } & (
  | { readonly kind: "push"; readonly documents: number; readonly perSecond?: number }
  /** So many callers, each of which asks again as soon as it has its answer. */
  | { readonly kind: "callers"; readonly callers: number; readonly seconds: number }
  /** Searches that come at a rate, whether or not those before them have been answered. */
  | { readonly kind: "arrivals"; readonly perSecond: number; readonly seconds: number }
);

/** What became of one search. */
export interface Observation {
  /** Milliseconds from the start of the phase. */
  readonly at: number;
  /** Milliseconds from when it was sent until its answer was there in full. */
  readonly tookMs: number;
  /**
   * "ok"; "degraded": answered without a stage; "refused": RESOURCE_EXHAUSTED with a hint when to come back; anything
   * else is a failure and names itself.
   */
  readonly outcome: string;
}

export interface PhaseResult {
  readonly observations: readonly Observation[];
  /** Documents that were taken. */
  readonly pushed: number;
  /** Milliseconds that the generator itself was late with a search, 95th percentile; large: it was the bottleneck. */
  readonly latenessMs: number;
}

/** From the test to its generator. */
export interface PhaseMessage {
  readonly id: number;
  readonly phase: LoadPhase;
}

/** From the generator to its test. */
export interface ResultMessage {
  readonly id: number;
  readonly result?: PhaseResult;
  readonly failure?: string;
}
