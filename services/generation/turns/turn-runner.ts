import type { RunTurn } from "./turn.ts";

/** An agent as a turn sees it. */
export interface TurnAgent {
  readonly id: string;
  /** Name of a language model; empty: the default one. */
  readonly model: string;
  /** Unset: the model's default. */
  readonly temperature: number | undefined;
  /** Passages that one search brings, for turns that do not say. */
  readonly maxPassages: number;
  readonly run: RunTurn;
}

/** @returns undefined where the tenant has no such agent (any more) */
export type FindAgent = (tenant: string, id: string) => Promise<TurnAgent | undefined>;

/** Who answers turns. */
export interface TurnRunners {
  /** Plain answers from the documents. */
  readonly answer: RunTurn;
  readonly findAgent: FindAgent;
}
