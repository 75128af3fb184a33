import assert from "node:assert/strict";
import { test } from "node:test";
import { Highlighter } from "./highlights.ts";

const marked = (query: string, text: string) =>
  new Highlighter(query).find(text).map(({ start, end }) => text.slice(start, end));

test("words of the query are found by their stems, in order", () => {
  assert.deepEqual(marked("fluttering wings", "Wing flutter; the swing bird flutters. Wings!"), [
    "Wing",
    "flutter",
    "flutters",
    "Wings",
  ]);
});

test("stop words are passed over, unless the query has no other", () => {
  assert.deepEqual(marked("the wing of a bird", "the wing of the bird"), ["wing", "bird"]);
  assert.deepEqual(marked("who is the", "the who"), ["the", "who"]);
  assert.deepEqual(marked("?!", "what?!"), []);
});

test("ranges are in UTF-16 code units, and never split a grapheme", () => {
  const text = "👩‍👩‍👧 café cafe\u0301 東京 x";
  assert.deepEqual(marked("cafe", text), ["café", "cafe\u0301"]);
  const [first] = new Highlighter("cafe").find(text);
  assert.deepEqual(first, { start: 9, end: 13 });
});
