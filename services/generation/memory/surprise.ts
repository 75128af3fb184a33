import { cosine } from "./vectors.ts";

/** Something that memory holds, as far as it predicts what comes. */
export interface Trace {
  readonly vector: Float32Array;
  /** 0 to 1, as it is now: a faded memory predicts less. */
  readonly strength: number;
}

/** What was said before in the same conversation with memory. */
export interface Before {
  readonly vector: Float32Array;
  readonly surprise: number;
  readonly ageMs: number;
}

/** How a statement was weighed; docs/memory.md has the formula. */
export interface Surprise {
  /** 0 to 1. */
  readonly score: number;
  readonly distance: number;
  readonly density: number;
  readonly momentary: number;
  readonly momentum: number;
}

/** Traces that predict a statement, and neighbours that say how crowded it is around each. */
const neighbours = 5;
/** Nearness by which a neighbour counts e times less than the nearest: small, so that one close trace is enough. */
const temperature = 0.05;
/** Power of the density correction: 0 would be the bare distance. Chosen on the development lives. */
const densityPower = 0.5;
/** Share of the surprise before that lasts while the subject stays the same. */
const momentumShare = 0.3;
/** Milliseconds in which half of the momentum goes. */
const momentumHalfLifeMs = 5 * 60_000;

/**
 * Nearness of two vectors, 0 to 1: the cosine on a scale on which texts that have nothing to do with each other are at 0,
 * as encoders give such texts anything from 0 to 0.7.
 *
 * @param baseline cosine of unrelated texts under the encoder
 */
export function nearness(a: Float32Array, b: Float32Array, baseline: number): number {
  return Math.min(1, Math.max(0, (cosine(a, b) - baseline) / (1 - baseline)));
}

/**
 * Surprise after Titans (Behrouz et al. 2025): how far a statement lies from what memory predicts, and what is left of
 * the surprise before.
 */
export function weighSurprise(
  vector: Float32Array,
  traces: readonly Trace[],
  baseline: number,
  before: Before | undefined,
): Surprise {
  const near = nearest(vector, traces, baseline);
  const { distance, density } =
    near.length === 0 ? { distance: 1, density: 1 } : predict(near, traces, baseline);
  const crowding = density === 0 ? 1 : (distance / density) ** densityPower;
  const momentary = Math.min(1, distance * crowding);
  const momentum = before === undefined ? 0 : momentumOf(vector, before, baseline);
  return { score: Math.min(1, momentary + momentum), distance, density, momentary, momentum };
}

interface Neighbour {
  readonly trace: Trace;
  readonly near: number;
}

function nearest(vector: Float32Array, traces: readonly Trace[], baseline: number): Neighbour[] {
  const best: Neighbour[] = [];
  for (const trace of traces) {
    if (trace.vector === vector) continue;
    const near = nearness(vector, trace.vector, baseline);
    if (best.length === neighbours && near <= (best.at(-1)?.near ?? 0)) continue;
    const place = best.findIndex((other) => other.near < near);
    best.splice(place < 0 ? best.length : place, 0, { trace, near });
    if (best.length > neighbours) best.pop();
  }
  return best;
}

/** What the neighbours say together, the nearest most; each as far as it has not faded. */
function predict(
  near: readonly Neighbour[],
  traces: readonly Trace[],
  baseline: number,
): { distance: number; density: number } {
  const top = near[0]?.near ?? 0;
  let weights = 0;
  let distance = 0;
  let density = 0;
  for (const neighbour of near) {
    const weight = Math.exp((neighbour.near - top) / temperature);
    weights += weight;
    distance += weight * (1 - neighbour.trace.strength * neighbour.near);
    density += weight * spread(neighbour.trace, traces, baseline);
  }
  return { distance: distance / weights, density: density / weights };
}

/** Mean distance of a trace to its own neighbours, as the local outlier factor has it; 1 where it stands alone. */
function spread(trace: Trace, traces: readonly Trace[], baseline: number): number {
  const around = nearest(trace.vector, traces, baseline);
  if (around.length === 0) return 1;
  return around.reduce((sum, { near }) => sum + 1 - near, 0) / around.length;
}

/** The gate depends on what is said: a change of subject lets go of the surprise before. */
function momentumOf(vector: Float32Array, before: Before, baseline: number): number {
  const gate =
    momentumShare *
    nearness(vector, before.vector, baseline) *
    0.5 ** (Math.max(0, before.ageMs) / momentumHalfLifeMs);
  return gate * before.surprise;
}
