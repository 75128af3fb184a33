/**
 * Token vectors packed for the cache and for MaxSim: each is scaled to length 1 and kept in int8 with a scale of its
 * own (float32), which is a quarter of the bytes and moves a cosine by less than 0.01. First all scales, then all
 * values.
 */
export interface TokenVectors {
  /** Multiplies the values of each token. */
  readonly scales: Float32Array;
  /** `dimensions` for each token. */
  readonly values: Int8Array;
}

const scaleBytes = 4;
const mostInt8 = 127;

/** @param tokens token vectors one after the other */
export function packTokenVectors(tokens: Float32Array, dimensions: number): Uint8Array {
  const count = tokens.length / dimensions;
  const packed = new Uint8Array(count * (scaleBytes + dimensions));
  const { scales, values } = unpackTokenVectors(packed, dimensions);
  for (let token = 0; token < count; token += 1) {
    const from = token * dimensions;
    let squares = 0;
    let largest = 0;
    for (let at = from; at < from + dimensions; at += 1) {
      const value = tokens[at] ?? 0;
      squares += value * value;
      largest = Math.max(largest, Math.abs(value));
    }
    if (squares === 0) continue;
    scales[token] = largest / mostInt8 / Math.sqrt(squares);
    const toInt8 = mostInt8 / largest;
    for (let at = from; at < from + dimensions; at += 1) values[at] = Math.round((tokens[at] ?? 0) * toInt8);
  }
  return packed;
}

/** Views of packed bytes; copies only where the bytes do not lie at a multiple of 4. */
export function unpackTokenVectors(packed: Uint8Array, dimensions: number): TokenVectors {
  const aligned = packed.byteOffset % scaleBytes === 0 ? packed : new Uint8Array(packed);
  const count = tokenCount(aligned, dimensions);
  return {
    scales: new Float32Array(aligned.buffer, aligned.byteOffset, count),
    values: new Int8Array(aligned.buffer, aligned.byteOffset + count * scaleBytes, count * dimensions),
  };
}

export function tokenCount(packed: Uint8Array, dimensions: number): number {
  return Math.floor(packed.byteLength / (scaleBytes + dimensions));
}
