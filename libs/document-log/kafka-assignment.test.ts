import assert from "node:assert/strict";
import { test } from "node:test";
import type { Claim } from "./kafka-assignment.ts";
import {
  assignPartitions,
  assignTopics,
  decodeAssignment,
  decodeClaim,
  encodeAssignment,
  encodeClaim,
} from "./kafka-assignment.ts";

const read = { topic: "t", topicPartitions: 8 };

/** Rounds of joining: each member claims what the round before gave it, until nothing moves. */
function settle(held: Map<string, readonly number[]>, partitions: number) {
  const rounds: Map<string, readonly number[]>[] = [];
  for (let current = held; rounds.length < 10; ) {
    const members = [...current].map(([memberId, claimed]) => ({
      memberId,
      claim: { ...read, memberId, partitions: claimed },
    }));
    const next = assignPartitions(members, partitions);
    rounds.push(next);
    if (members.every(({ memberId, claim }) => sameSet(claim.partitions, next.get(memberId)))) return rounds;
    current = next;
  }
  return assert.fail("does not settle");
}

function sameSet(a: readonly number[], b: readonly number[] | undefined): boolean {
  return a.length === b?.length && a.every((partition) => b.includes(partition));
}

test("the first member gets everything", () => {
  assert.deepEqual(
    settle(new Map([["a", []]]), 3)
      .at(-1)
      ?.get("a"),
    [0, 1, 2],
  );
});

test("a partition that changes hands is nobody's for one round, and the others stay", () => {
  const [first, second] = settle(
    new Map([
      ["a", [0, 1, 2, 3]],
      ["b", []],
    ]),
    4,
  );
  assert.deepEqual(first?.get("a"), [0, 1]);
  assert.deepEqual(first?.get("b"), []);
  assert.deepEqual(second?.get("a"), [0, 1]);
  assert.deepEqual(second?.get("b"), [2, 3]);
});

test("what a member left goes to the others at once", () => {
  const [first] = settle(
    new Map([
      ["a", [0, 1]],
      ["b", [2]],
    ]),
    6,
  );
  assert.deepEqual(first?.get("a"), [0, 1, 3]);
  assert.deepEqual(first?.get("b"), [2, 4, 5]);
});

test("a claim under another name is void", () => {
  const members = [
    { memberId: "a-2", claim: { ...read, memberId: "a-1", partitions: [0, 1] } },
    { memberId: "b", claim: { ...read, memberId: "b", partitions: [0] } },
  ];
  assert.deepEqual(
    assignPartitions(members, 2),
    new Map([
      ["b", [0]],
      ["a-2", [1]],
    ]),
  );
});

test("whatever comes and goes: shares differ by one at most, no two owners, all is given in two rounds", () => {
  let held = new Map<string, readonly number[]>();
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  for (let step = 0; step < 500; step += 1) {
    const names = [...held.keys()];
    if (names.length < 2 || random(2) === 0) held.set(`m${step}`, []);
    else held.delete(names[random(names.length)] ?? "");
    const rounds = settle(held, 16);
    assert.ok(rounds.length <= 3, `${rounds.length} rounds`);
    for (const round of rounds) {
      const given = [...round.values()].flat();
      assert.equal(new Set(given).size, given.length, "two owners");
    }
    held = rounds.at(-1) ?? held;
    const sizes = [...held.values()].map((partitions) => partitions.length);
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      16,
    );
    assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
  }
});

test("claims and assignments survive the wire, and what is no claim claims nothing", () => {
  const claim: Claim = { ...read, memberId: "m", partitions: [0, 5] };
  assert.deepEqual(decodeClaim(encodeClaim(claim)), claim);
  assert.deepEqual(decodeAssignment("t", encodeAssignment("t", [1, 2])), [1, 2]);
  assert.deepEqual(decodeAssignment("t", Buffer.alloc(0)), []);
});

test("members of one group that read other topics share nothing with each other", () => {
  const member = (memberId: string, topic: string, topicPartitions: number) => ({
    memberId,
    claim: { topic, topicPartitions, memberId, partitions: [] },
  });
  const shares = assignTopics([member("a", "one", 2), member("b", "two", 3), member("c", "one", 2)]);
  assert.deepEqual(Object.fromEntries(shares), { a: [0], b: [0, 1, 2], c: [1] });
});
