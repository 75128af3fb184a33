import { percentile } from "@headwater/testing/percentile";
import type { Observation, PhaseResult } from "./load-phase.ts";

/** Milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export interface PhaseSummary {
  readonly searches: number;
  /** Searches that were answered in full, a second. */
  readonly answeredPerSecond: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Of searches that were answered, degraded or not. */
  readonly answered: Latency;
  /** Of refusals: how soon they came. */
  readonly refused: Latency;
  readonly latenessMs: number;
}

/** @param seconds over which the searches came */
export function summarize({ observations, latenessMs }: PhaseResult, seconds: number): PhaseSummary {
  const answered = observations.filter(isAnswered);
  const outcomes: Record<string, number> = {};
  for (const { outcome } of observations) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  return {
    searches: observations.length,
    answeredPerSecond: answered.length / seconds,
    outcomes,
    answered: latency(answered),
    refused: latency(observations.filter(({ outcome }) => outcome === "refused")),
    latenessMs,
  };
}

export function isAnswered({ outcome }: Observation): boolean {
  return outcome === "ok" || outcome === "degraded";
}

/** The 95th percentile of each second, in order; seconds in which nothing was asked are left out. */
export function p95BySecond(observations: readonly Observation[]): { second: number; p95: number }[] {
  const seconds = Map.groupBy(observations, ({ at }) => Math.floor(at / 1000));
  return [...seconds]
    .map(([second, some]) => ({
      second,
      p95: percentile(
        some.map(({ tookMs }) => tookMs),
        0.95,
      ),
    }))
    .sort((a, b) => a.second - b.second);
}

function latency(observations: readonly Observation[]): Latency {
  const times = observations.map(({ tookMs }) => tookMs);
  return { p50: percentile(times, 0.5), p95: percentile(times, 0.95), p99: percentile(times, 0.99) };
}
