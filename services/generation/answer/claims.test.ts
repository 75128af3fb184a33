import assert from "node:assert/strict";
import { test } from "node:test";
import { createCitationMarkerParser } from "./citation-markers.ts";
import { createClaimFinder } from "./claims.ts";

/** What each marker of an answer stands for, as "source: claim". */
function claimsOf(answer: string): string[] {
  const parser = createCitationMarkerParser(() => true);
  const finder = createClaimFinder();
  const claims = [...parser.push(answer), ...parser.end()].flatMap((piece) => {
    if (piece.type === "marker") return finder.mark(piece.sources, piece.start, piece.end);
    finder.append(piece.text);
    return [];
  });
  return [...claims, ...finder.end()].map(({ sources, start, end, text }) => {
    assert.equal(finder.text.slice(start, end), text);
    return `${sources.join(",")}: ${text}`;
  });
}

test("a marker stands for the sentence before it, wherever the full stop is", () => {
  assert.deepEqual(claimsOf("Pumps are old. Dr. Watt built one [1]. It ran. [2]"), [
    "1: Dr. Watt built one",
    "2: It ran.",
  ]);
});

test("two markers in a sentence share it out", () => {
  assert.deepEqual(claimsOf("Pumps lift water [1], while valves hold it [2]."), [
    "1: Pumps lift water",
    "2: while valves hold it",
  ]);
});

test("markers side by side stand for the same claim", () => {
  assert.deepEqual(claimsOf("It ran. [1][2] [3]"), ["1: It ran.", "2: It ran.", "3: It ran."]);
});

test("items of a list and lines are claims of their own", () => {
  assert.deepEqual(claimsOf("Parts:\n\n- the valve [1]\n- the **boiler** [2]\n"), [
    "1: the valve",
    "2: the **boiler**",
  ]);
});

test("a marker at the start of a sentence stands for that sentence", () => {
  assert.deepEqual(claimsOf("[1] says that pumps run. More follows [2]."), [
    "1: says that pumps run.",
    "2: More follows",
  ]);
  assert.deepEqual(claimsOf("According to [1], pumps run."), ["1: pumps run."]);
  assert.deepEqual(claimsOf("It ran [1].\n[2] tells of valves."), ["1: It ran", "2: tells of valves."]);
});

test("a marker without any text stands for nothing", () => {
  assert.deepEqual(claimsOf("[1]"), []);
});
