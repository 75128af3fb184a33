import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RevisionClock } from "./revision-clock.ts";

const noon = Date.UTC(2026, 5, 1, 12);

describe("revisions", () => {
  test("grow with time, and beyond what is known, wherever the clock stands", () => {
    let now = noon;
    const clock = new RevisionClock(() => now);
    let last = 0;
    for (const at of [noon, noon, noon + 1, noon + 5000, noon - 60_000, noon + 6000]) {
      now = at;
      const revision = clock.next(0);
      assert(revision > last);
      last = revision;
    }
    const ahead = new RevisionClock(() => noon + 86_400_000).next(0);
    assert(clock.next(ahead) > ahead);
  });

  test("are whole numbers that every engine and JSON keep exactly, until 2092", () => {
    const revision = new RevisionClock(() => Date.UTC(2092, 0, 1)).next(0);
    assert(Number.isSafeInteger(revision));
  });

  test("tell their age", () => {
    let now = noon;
    const clock = new RevisionClock(() => now);
    const revision = clock.next(0);
    now += 90 * 60_000;
    assert.equal(clock.age(revision), 90 * 60_000);
  });
});
