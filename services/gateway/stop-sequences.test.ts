import assert from "node:assert/strict";
import { test } from "node:test";
import { StopSequences } from "./stop-sequences.ts";

function cut(pieces: readonly string[], sequences: readonly string[]): string[] {
  const stop = new StopSequences(sequences);
  const sent = pieces.map((piece) => stop.push(piece));
  return [...sent, stop.flush()];
}

test("a text ends before the first sequence, wherever its pieces break", () => {
  assert.deepEqual(cut(["one END two"], ["END"]), ["one ", ""]);
  assert.deepEqual(cut(["one E", "N", "D two", "more"], ["END"]), ["one ", "", "", "", ""]);
  assert.deepEqual(cut(["abab", "abc"], ["ababc"]), ["", "ab", ""]);
  assert.deepEqual(cut(["first. second\nthird"], ["\n", "second"]), ["first. ", ""]);
});

test("what only looks like the beginning of a sequence is sent", () => {
  assert.deepEqual(cut(["one E", "N", "d"], ["END"]), ["one ", "", "ENd", ""]);
  assert.deepEqual(cut(["one E"], ["END"]), ["one ", "E"]);
  assert.deepEqual(cut(["one"], []), ["one", ""]);
  assert.deepEqual(cut(["one"], [""]), ["one", ""]);
});
