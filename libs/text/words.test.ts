import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { contentStems, estimateTokens, isStopWord, normalize, stem, words } from "./index.ts";

const spellings = (text: string) => words(text).map((word) => word.text);

test("words are levelled in case, accents and compatibility forms", () => {
  assert.deepEqual(spellings("Über ﬁne Café, DON’T Ａ１"), ["uber", "fine", "cafe", "don't", "a1"]);
  assert.deepEqual(spellings("boundary-layer of 3.5 m/s in 2026"), [
    "boundary",
    "layer",
    "of",
    "3.5",
    "m",
    "s",
    "in",
    "2026",
  ]);
});

test("Chinese, Arabic, Hindi and Korean words are found, emoji are not words", () => {
  assert.equal(spellings("今日は雨です").length > 1, true);
  assert.deepEqual(spellings("هذا كتاب 🙂"), ["هذا", "كتاب"]);
  assert.deepEqual(spellings("नमस्ते दुनिया"), ["नमस्ते", "दुनिया"]);
  assert.deepEqual(spellings("한국 여행"), ["한국", "여행"]);
});

test("offsets give the word as it stands in the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      let at = 0;
      for (const word of words(text)) {
        assert(word.start >= at && word.end > word.start && word.end <= text.length);
        assert.equal(normalize(text.slice(word.start, word.end)), word.text);
        at = word.end;
      }
    }),
  );
});

test("forms of an English word share a stem, other scripts are left alone", () => {
  assert.deepEqual(["computing", "computed", "computes", "compute"].map(stem), [
    "comput",
    "comput",
    "comput",
    "comput",
  ]);
  assert.equal(stem("нейронные"), "нейронные");
});

test("content stems leave out the words without a subject", () => {
  assert.deepEqual(contentStems("What are the heated wings of an aircraft?"), ["heat", "wing", "aircraft"]);
  assert.equal(isStopWord("which"), true);
  assert.equal(isStopWord("not"), false);
});

test("the token estimate grows with the text and counts dense scripts higher", () => {
  assert.equal(estimateTokens(""), 0);
  assert.equal(estimateTokens("four score and seven years ago"), 8);
  assert.equal(estimateTokens("今日は雨です"), 6);
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      assert(estimateTokens(a + b) >= Math.max(estimateTokens(a), estimateTokens(b)));
      assert(estimateTokens(a + b) <= estimateTokens(a) + estimateTokens(b));
    }),
  );
});
