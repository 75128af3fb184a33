import assert from "node:assert/strict";
import { test } from "node:test";
import type { GroupCommitOptions } from "./group-commit.ts";
import { GroupCommit } from "./group-commit.ts";

/** Commits at once, and notes each batch. */
function noting(options: Partial<GroupCommitOptions<number, undefined>>) {
  const batches: number[][] = [];
  const group = new GroupCommit<number, undefined>({
    maxItems: 100,
    maxWeight: 100,
    weigh: () => 1,
    commit: async (items) => {
      batches.push([...items]);
      return items.map(() => undefined);
    },
    ...options,
  });
  return { group, batches };
}

test("what arrives during a commit goes together in the next, in order, with a result each", async () => {
  const batches: number[][] = [];
  const gate = Promise.withResolvers<void>();
  const group = new GroupCommit<number, string>({
    maxItems: 3,
    maxWeight: 100,
    weigh: () => 1,
    commit: async (items) => {
      batches.push([...items]);
      await gate.promise;
      return items.map((item) => `done ${item}`);
    },
  });
  const first = group.add(0);
  while (batches.length === 0) await new Promise((done) => setImmediate(done));
  const others = [1, 2, 3, 4].map((item) => group.add(item));
  gate.resolve();
  assert.equal(await first, "done 0");
  assert.deepEqual(await Promise.all(others), ["done 1", "done 2", "done 3", "done 4"]);
  assert.deepEqual(batches, [[0], [1, 2, 3], [4]]);
});

test("a batch ends at its weight, and what is heavier goes alone", async () => {
  const { group, batches } = noting({ maxWeight: 10, weigh: (item) => item });
  await Promise.all([4, 6, 1, 50, 2].map((item) => group.add(item)));
  assert.deepEqual(batches, [[4, 6], [1], [50], [2]]);
});

test("a failure is told to all of its batch and to nobody else", async () => {
  const group = new GroupCommit<number, number>({
    maxItems: 2,
    maxWeight: 100,
    weigh: () => 1,
    commit: async (items) => {
      if (items.includes(1)) throw new Error("no");
      return items;
    },
  });
  const results = await Promise.allSettled([0, 1, 2, 3].map((item) => group.add(item)));
  assert.deepEqual(
    results.map(({ status }) => status),
    ["rejected", "rejected", "fulfilled", "fulfilled"],
  );
  await group.drain();
});

test("it lingers for more, but not once nothing else is coming", async () => {
  let coming = 3;
  const { group, batches } = noting({ lingerMs: 60_000, nothingElse: (waiting) => waiting >= coming });
  const first = group.add(1);
  await new Promise((done) => setImmediate(done));
  const second = group.add(2);
  await new Promise((done) => setImmediate(done));
  assert.deepEqual(batches, []);
  // The third one has failed on its way.
  coming = 2;
  group.poke();
  await Promise.all([first, second]);
  assert.deepEqual(batches, [[1, 2]]);
});

test("a batch waits for the turns that it was told, and takes what they bring", async () => {
  const { group, batches } = noting({ gatherTurns: 4 });
  const first = group.add(1);
  await new Promise((done) => setImmediate(done));
  const second = group.add(2);
  await Promise.all([first, second]);
  await group.add(3);
  assert.deepEqual(batches, [[1, 2], [3]]);
});
