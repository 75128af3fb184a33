import assert from "node:assert/strict";
import { test } from "node:test";
import { faded, firstStrength, forgottenBelow, strengthened } from "./strength.ts";

const dayMs = 86_400_000;
const start = new Date("2026-01-01T00:00:00Z");
const after = (days: number) => new Date(start.getTime() + days * dayMs);

test("strength halves in each half-life, and a clock that goes back does not add to it", () => {
  assert.equal(faded(0.8, start, after(90), 90 * dayMs), 0.4);
  assert.equal(faded(0.8, start, after(180), 90 * dayMs), 0.2);
  assert.equal(faded(0.8, after(1), start, 90 * dayMs), 0.8);
});

test("a memory that is needed outlives one that is not", () => {
  const halfLifeMs = 30 * dayMs;
  let needed = firstStrength(0.5);
  const lonely = faded(needed, start, after(150), halfLifeMs);
  for (let month = 0; month < 5; month += 1)
    needed = strengthened(faded(needed, after(30 * month), after(30 * (month + 1)), halfLifeMs));
  assert(lonely < forgottenBelow && needed > 0.4, `${lonely} ${needed}`);
});

test("what surprises more begins stronger, and nothing is stronger than 1", () => {
  assert.deepEqual([firstStrength(0), firstStrength(1)], [0.5, 1]);
  assert.equal(strengthened(1), 1);
});
