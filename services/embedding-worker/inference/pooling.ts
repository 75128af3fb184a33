import type { Pooling } from "../model/encoder-folder.ts";

/**
 * One vector of length 1 from the vectors of a text's tokens.
 *
 * @param tokens token vectors one after the other, padding left out
 */
export function pool(tokens: Float32Array, dimensions: number, pooling: Pooling): Float32Array {
  const pooled = tokens.slice(0, dimensions);
  if (pooling !== "cls") {
    for (let at = dimensions; at < tokens.length; at += dimensions) {
      for (let dimension = 0; dimension < dimensions; dimension += 1) {
        const value = tokens[at + dimension] ?? 0;
        const before = pooled[dimension] ?? 0;
        pooled[dimension] = pooling === "max" ? Math.max(before, value) : before + value;
      }
    }
  }
  return normalize(pooled);
}

/** Scales to Euclidean length 1, in place; a vector of zeros stays. */
export function normalize(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  if (squares > 0) {
    const scale = 1 / Math.sqrt(squares);
    for (let at = 0; at < vector.length; at += 1) vector[at] = (vector[at] ?? 0) * scale;
  }
  return vector;
}
