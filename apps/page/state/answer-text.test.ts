import assert from "node:assert/strict";
import { test } from "node:test";
import { answerAsText, answerParts, numberSources } from "./answer-text.ts";

const text = "Beer saved them. They had a well.";
const citations = [
  { source: 4, claim: { start: 0, end: 16 }, support: 0.9 },
  { source: 2, claim: { start: 17, end: 33 }, support: 0.9 },
  { source: 4, claim: { start: 17, end: 33 }, support: 0.8 },
];

test("an answer is cut where claims end, and each part knows what supports it", () => {
  const parts = answerParts(text, citations, 8);
  assert.equal(parts.map((part) => part.text).join(""), text);
  assert.deepEqual(
    parts.map((part) => [part.text, part.chips.map(({ source }) => source)]),
    [
      ["Beer saved them.", [4]],
      [" ", []],
      ["They had a well.", [2, 4]],
    ],
  );
  assert.deepEqual(parts[1]?.claims, []);
});

test("overlapping claims share the part that is theirs", () => {
  const parts = answerParts(
    "abcdef",
    [
      { source: 1, claim: { start: 0, end: 4 }, support: 1 },
      { source: 2, claim: { start: 2, end: 6 }, support: 1 },
    ],
    2,
  );
  assert.deepEqual(
    parts.map((part) => [part.text, part.claims.length]),
    [
      ["ab", 1],
      ["cd", 2],
      ["ef", 1],
    ],
  );
});

test("a citation that is ahead of the text waits at its end", () => {
  const parts = answerParts("Beer", [{ source: 1, claim: { start: 0, end: 90 }, support: 1 }], 1);
  assert.deepEqual(
    parts.map((part) => part.chips.length),
    [1],
  );
});

test("sources are numbered as the answer cites them", () => {
  assert.deepEqual(
    [...numberSources(answerParts(text, citations, 8))],
    [
      [4, 1],
      [2, 2],
    ],
  );
});

test("copied text carries numbers and sources", () => {
  const numbers = numberSources(answerParts(text, citations, 8));
  const copied = answerAsText(answerParts(text, citations, 8), numbers, [
    { number: 1, title: "The pump", place: "page 2", address: "pump.md", quotes: ["They drank beer."] },
    { number: 2, title: "Soho", place: "", address: "soho.md", quotes: [] },
  ]);
  assert.equal(
    copied,
    "Beer saved them. [1] They had a well. [2][1]\n\nSources\n[1] The pump, page 2 (pump.md)\n    “They drank beer.”\n[2] Soho (soho.md)",
  );
});

test("markers in the text become chips, with the best evidence of the claim before them", () => {
  const text = "Beer saved them. [4] They had a well. [2][4] Not [99].";
  const weak = { source: 2, claim: { start: 21, end: 37 }, support: 0.5 };
  const strong = { source: 2, claim: { start: 21, end: 37 }, support: 0.9 };
  const parts = answerParts(text, [weak, strong], 8);
  assert.equal(parts.map((part) => part.text).join(""), "Beer saved them. They had a well. Not [99].");
  assert.deepEqual(
    parts.flatMap(({ chips }) => chips),
    [
      { source: 4, citation: undefined },
      { source: 2, citation: strong },
      { source: 4, citation: undefined },
    ],
  );
  const numbers = numberSources(parts);
  assert.equal(answerAsText(parts, numbers, []), "Beer saved them. [1] They had a well. [2][1] Not [99].");
});

test("a marker at the start of a sentence stands for what comes after it", () => {
  const citation = { source: 1, claim: { start: 4, end: 20 }, support: 1 };
  const [first] = answerParts("[1] says it was beer.", [citation], 1);
  assert.equal(first?.chips[0]?.citation, citation);
});
