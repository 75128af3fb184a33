import type { DocumentPassages } from "./passage-index.ts";
import type { SampleDocument as PlainDocument } from "./testing/sample-passages.ts";
import { samplePassages } from "./testing/sample-passages.ts";

/** Of the vectors of the conformance suite: few, as no test needs more. */
export const dimensions = 16;

/** Its vectors are made from the words, unless it names their first components. */
export interface SampleDocument extends PlainDocument {
  readonly vector?: readonly number[];
}

export function sample(document: SampleDocument): DocumentPassages {
  const { vector } = document;
  return samplePassages(document, vector ? () => unit(vector) : vectorOf);
}

/** A vector of length 1 that is nearer to another the more characters their texts share. */
export function vectorOf(text: string): Float32Array {
  const counts = new Array<number>(dimensions).fill(0.01);
  for (const character of text) {
    const place = (character.codePointAt(0) ?? 0) % dimensions;
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return unit(counts);
}

function unit(components: readonly number[]): Float32Array {
  const vector = new Float32Array(dimensions);
  vector.set(components);
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
