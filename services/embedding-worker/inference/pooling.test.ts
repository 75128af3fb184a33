import assert from "node:assert/strict";
import { test } from "node:test";
import { normalize, pool } from "./pooling.ts";

const tokens = Float32Array.of(3, 4, 0, 0, 0, -8);
const close = (actual: Float32Array, expected: number[]) => {
  assert.equal(actual.length, expected.length);
  for (const [at, value] of expected.entries())
    assert(Math.abs((actual[at] ?? 9) - value) < 1e-6, String(actual));
};

test("cls takes the first token, mean and max all; the result has length 1", () => {
  close(pool(tokens, 2, "cls"), [0.6, 0.8]);
  close(pool(tokens, 2, "mean"), [0.6, -0.8]);
  close(pool(tokens, 2, "max"), [0.6, 0.8]);
});

test("pooling leaves the token vectors as they are, and zeros stay zeros", () => {
  assert.deepEqual([...tokens], [3, 4, 0, 0, 0, -8]);
  close(normalize(new Float32Array(2)), [0, 0]);
});
