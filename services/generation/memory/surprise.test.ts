import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { nearness, weighSurprise } from "./surprise.ts";
import { toBytes, toVector } from "./vectors.ts";

/** A vector of length 1 at an angle in degrees in the plane of two of eight axes. */
function at(degrees: number, axis = 0): Float32Array {
  const vector = new Float32Array(8);
  vector[axis] = Math.cos((degrees * Math.PI) / 180);
  vector[(axis + 1) % 8] = Math.sin((degrees * Math.PI) / 180);
  return vector;
}
const trace = (vector: Float32Array, strength = 1) => ({ vector, strength });
const close = (actual: number, expected: number) =>
  assert(Math.abs(actual - expected) < 1e-3, `${actual}, not ${expected}`);

test("to an empty memory everything is new", () => {
  assert.deepEqual(weighSurprise(at(0), [], 0.5, undefined), {
    score: 1,
    distance: 1,
    density: 1,
    momentary: 1,
    momentum: 0,
  });
});

test("what is known does not surprise, what has faded does so again", () => {
  const known = [trace(at(0)), trace(at(0, 4))];
  assert(weighSurprise(at(3), known, 0, undefined).score < 0.01);
  const faded = [trace(at(0), 0.2), trace(at(0, 4))];
  assert(weighSurprise(at(3), faded, 0, undefined).score > 0.7);
});

test("in a crowded place a small distance surprises more than in an empty one", () => {
  const crowd = [0, 2, 4, 6, 8, 10].map((degrees) => trace(at(degrees)));
  const spread = [0, 1, 2, 3].map((axis) => trace(at(0, axis * 2)));
  const crowded = weighSurprise(at(40), crowd, 0, undefined);
  const alone = weighSurprise(at(30), spread, 0, undefined);
  close(alone.density, 1);
  assert(crowded.distance < 0.2 && alone.distance < 0.2);
  assert(crowded.density < 0.01);
  assert(crowded.score > 3 * alone.score, `${crowded.score} ${alone.score}`);
});

test("momentum lasts while the subject stays, and goes with a change of subject and with time", () => {
  const known = [trace(at(0))];
  const before = { vector: at(10), surprise: 1, ageMs: 0 };
  const same = weighSurprise(at(0), known, 0, before);
  close(same.momentum, 0.3 * Math.cos((10 * Math.PI) / 180));
  close(same.score, same.momentary + same.momentum);
  close(weighSurprise(at(0), known, 0, { ...before, ageMs: 5 * 60_000 }).momentum, same.momentum / 2);
  assert.equal(weighSurprise(at(0), known, 0, { ...before, vector: at(0, 4) }).momentum, 0);
});

test("nearness is 0 where texts are as unrelated as any two, and 1 where they are equal", () => {
  close(nearness(at(0), at(0), 0.6), 1);
  close(nearness(at(0), at(60), 0.5), 0);
  close(nearness(at(0), at(0, 4), 0.5), 0);
});

test("the parts are from 0 to 1 whatever memory holds", () => {
  const part = fc.double({ min: 0, max: 1, noNaN: true });
  const direction = fc
    .tuple(fc.integer({ min: 0, max: 359 }), fc.integer({ min: 0, max: 7 }))
    .map(([d, a]) => at(d, a));
  const traces = fc.array(fc.record({ vector: direction, strength: part }), { maxLength: 12 });
  const before = fc.option(fc.record({ vector: direction, surprise: part, ageMs: fc.nat() }), {
    nil: undefined,
  });
  fc.assert(
    fc.property(
      direction,
      traces,
      fc.double({ min: 0, max: 0.9, noNaN: true }),
      before,
      (vector, known, baseline, last) => {
        for (const [name, value] of Object.entries(weighSurprise(vector, known, baseline, last)))
          assert(value >= 0 && value <= 1 + 1e-9, `${name} ${value}`);
      },
    ),
  );
});

test("vectors come back from their bytes, wherever those lie", () => {
  const vector = Float32Array.of(0.5, -1, 3);
  const buffer = new Uint8Array(13);
  buffer.set(toBytes(vector), 1);
  assert.deepEqual(toVector(buffer.subarray(1)), vector);
});
