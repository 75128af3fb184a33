import assert from "node:assert/strict";
import { test } from "node:test";
import { MaxSim, meanMatch } from "./max-sim.ts";
import { packTokenVectors, tokenCount, unpackTokenVectors } from "./token-vectors.ts";

const dimensions = 24;
const maxSim = await MaxSim.load(dimensions);

/** Numbers in -1 to 1 that are the same in each run. */
function numbers(seed: number, count: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

async function scores(query: Uint8Array, passages: readonly Uint8Array[]): Promise<number[]> {
  return (await maxSim.match(query, passages)).map(meanMatch);
}

/** MaxSim by its definition, in floating point. */
function maxSimByDefinition(query: Float32Array, passage: Float32Array): number {
  const rows = (all: Float32Array) =>
    Array.from({ length: all.length / dimensions }, (_, row) =>
      all.slice(row * dimensions, (row + 1) * dimensions),
    );
  const cosine = (a: Float32Array, b: Float32Array) =>
    a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0) / (Math.hypot(...a) * Math.hypot(...b));
  const best = rows(query).map((asked) => Math.max(...rows(passage).map((token) => cosine(asked, token))));
  return best.reduce((sum, value) => sum + value, 0) / best.length;
}

test("equals its definition for any number of tokens, within what int8 loses", async () => {
  for (const queryTokens of [1, 2, 3, 4, 5, 8, 9]) {
    for (const passageTokens of [1, 2, 3, 8]) {
      const query = numbers(queryTokens, queryTokens * dimensions);
      const passage = numbers(100 + passageTokens, passageTokens * dimensions);
      const [packedQuery, packedPassage] = [query, passage].map((all) => packTokenVectors(all, dimensions));
      const [score = Number.NaN] = await scores(packedQuery ?? assert.fail(), [
        packedPassage ?? assert.fail(),
      ]);
      const expected = maxSimByDefinition(query, passage);
      assert(Math.abs(score - expected) < 0.01, `${queryTokens} x ${passageTokens}: ${score}, ${expected}`);
    }
  }
});

test("a text against itself scores 1, against its opposite -1, against nothing -1", async () => {
  const vector = numbers(7, dimensions);
  const packed = packTokenVectors(vector, dimensions);
  const opposite = packTokenVectors(
    vector.map((value) => -value),
    dimensions,
  );
  const nothing = new Uint8Array(0);
  const [same = 0, other = 0, none] = await scores(packed, [packed, opposite, nothing]);
  assert(Math.abs(same - 1) < 0.01);
  assert(Math.abs(other + 1) < 0.01);
  assert.equal(none, -1);
  assert.deepEqual(await scores(nothing, [packed]), [-1]);
});

test("packed vectors may lie anywhere in a buffer, as those out of a cache or a message do", () => {
  const packed = packTokenVectors(numbers(3, 5 * dimensions), dimensions);
  const shifted = Buffer.concat([Buffer.from([0]), packed]).subarray(1);
  const [straight, moved] = [packed, shifted].map((bytes) => unpackTokenVectors(bytes, dimensions));
  assert.deepEqual(moved, straight);
  assert.equal(tokenCount(packed, dimensions), 5);
});
