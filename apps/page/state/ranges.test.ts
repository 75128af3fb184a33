import assert from "node:assert/strict";
import { test } from "node:test";
import { excerptOf, mergeRanges, segmentsOf } from "./ranges.ts";

test("segments give back the whole text, with overlapping and unordered ranges marked once", () => {
  const text = "the river and the spring";
  const segments = segmentsOf(text, [
    { start: 18, end: 24 },
    { start: 4, end: 9 },
    { start: 6, end: 13 },
    { start: 5, end: 5 },
  ]);
  assert.equal(segments.map((segment) => segment.text).join(""), text);
  assert.deepEqual(
    segments.filter(({ marked }) => marked).map(({ text, start }) => [text, start]),
    [
      ["river and", 4],
      ["spring", 18],
    ],
  );
});

test("ranges of a whole document mark the part of it that is shown", () => {
  assert.deepEqual(
    segmentsOf("cdef", [{ start: 0, end: 4 }], 2).map(({ text, start, marked }) => [text, start, marked]),
    [
      ["cd", 2, true],
      ["ef", 4, false],
    ],
  );
  assert.deepEqual(segmentsOf("cdef", [{ start: 90, end: 95 }], 2), [
    { text: "cdef", start: 2, marked: false },
  ]);
});

test("touching ranges become one", () => {
  assert.deepEqual(
    mergeRanges([
      { start: 3, end: 5 },
      { start: 0, end: 3 },
    ]),
    [{ start: 0, end: 5 }],
  );
});

test("an excerpt holds the densest highlights, cut between words", () => {
  const text = `${"dry words here ".repeat(40)}water and more water, water again ${"and so on ".repeat(40)}`;
  const highlights = [...text.matchAll(/water/g)].map(({ index }) => ({ start: index, end: index + 5 }));
  const { start, end } = excerptOf(text, highlights, 200);
  const excerpt = text.slice(start, end);
  assert.equal(excerpt.match(/water/g)?.length, 3);
  assert(excerpt.length <= 200);
  assert.match(text[start - 1] ?? "", /\s/);
  assert.match(text[end] ?? "", /\s/);
});

test("an excerpt of a text without spaces splits no surrogate pair", () => {
  const text = "𝔸".repeat(400);
  const { start, end } = excerptOf(text, [{ start: 301, end: 303 }], 101);
  assert.doesNotMatch(text.slice(start, end), /^[\udc00-\udfff]|[\ud800-\udbff]$/);
});
