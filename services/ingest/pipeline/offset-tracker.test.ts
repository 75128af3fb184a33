import assert from "node:assert/strict";
import { test } from "node:test";
import { OffsetTracker } from "./offset-tracker.ts";

test("nothing is committed past a record that is not done", () => {
  const tracker = new OffsetTracker();
  for (const offset of [5, 6, 9]) tracker.received({ partition: 1, offset });
  tracker.received({ partition: 2, offset: 0 });
  tracker.done({ partition: 1, offset: 6 });
  assert.deepEqual(tracker.take(), []);
  tracker.done({ partition: 1, offset: 5 });
  assert.deepEqual(tracker.take(), [{ partition: 1, offset: 7 }]);
  assert.deepEqual(tracker.take(), []);
  tracker.done({ partition: 2, offset: 0 });
  tracker.done({ partition: 1, offset: 9 });
  assert.deepEqual(tracker.take(), [
    { partition: 1, offset: 10 },
    { partition: 2, offset: 1 },
  ]);
  assert.equal(tracker.size, 0);
});

test("a partition that was dropped is forgotten, and may come back from an earlier offset", () => {
  const tracker = new OffsetTracker();
  tracker.received({ partition: 1, offset: 5 });
  tracker.drop(1);
  tracker.done({ partition: 1, offset: 5 });
  assert.deepEqual(tracker.take(), []);
  tracker.received({ partition: 1, offset: 3 });
  tracker.done({ partition: 1, offset: 3 });
  assert.deepEqual(tracker.take(), [{ partition: 1, offset: 4 }]);
});

test("memory does not grow with what was done, in any order", () => {
  const tracker = new OffsetTracker();
  let committed = 0;
  for (let offset = 0; offset < 10_000; offset += 1) {
    tracker.received({ partition: 0, offset });
    // Each pair is done in reverse.
    if (offset % 2 === 1)
      for (const done of [offset, offset - 1]) tracker.done({ partition: 0, offset: done });
    for (const position of tracker.take()) committed = position.offset;
    assert(tracker.size <= 2);
  }
  assert.equal(committed, 10_000);
});

test("what is under way is what was received and is not done", () => {
  const tracker = new OffsetTracker();
  for (const offset of [0, 1, 2]) tracker.received({ partition: 0, offset });
  tracker.received({ partition: 1, offset: 7 });
  assert.equal(tracker.underWay, 4);
  for (const offset of [2, 0, 0, 9]) tracker.done({ partition: 0, offset });
  assert.equal(tracker.underWay, 2);
  tracker.take();
  assert.equal(tracker.underWay, 2);
  tracker.drop(1);
  tracker.done({ partition: 1, offset: 7 });
  assert.equal(tracker.underWay, 1);
  tracker.done({ partition: 0, offset: 1 });
  assert.equal(tracker.underWay, 0);
});
