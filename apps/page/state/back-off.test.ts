import assert from "node:assert/strict";
import { test } from "node:test";
import { backOff } from "./back-off.ts";

test("waits grow to a bound and are spread", () => {
  assert.deepEqual(
    [0, 1, 2, 10, 1000].map((attempt) => backOff(attempt, () => 0.5)),
    [500, 1000, 2000, 15_000, 15_000],
  );
  assert.deepEqual([backOff(1, () => 0), backOff(1, () => 1)], [900, 1100]);
});
