import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { clampToGraphemes, graphemeFloor } from "./index.ts";

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
const borders = (text: string) => [...segmenter.segment(text)].map(({ index }) => index).concat(text.length);

const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 4 }),
      fc.string({ unit: "binary", maxLength: 4 }),
      fc.constantFrom("👩‍👩‍👧", "🇩🇪🇫🇷", "e\u0301\u0323", "\r\n", "한국", "नमस्ते", "\ud83d", "a b"),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

test("the floor is the last border at or before the offset", () => {
  fc.assert(
    fc.property(anyText, fc.nat(60), (text, offset) => {
      const expected = Math.max(...borders(text).filter((border) => border <= Math.min(offset, text.length)));
      assert.equal(graphemeFloor(text, offset), expected);
    }),
    { numRuns: 1000 },
  );
});

test("clamped ranges that touched still touch, and cover the text", () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 1, max: 9 }), (text, step) => {
      let joined = "";
      for (let at = 0; at < text.length; at += step) {
        const { start, end } = clampToGraphemes(text, at, at + step);
        joined += text.slice(start, end);
      }
      assert.equal(joined, text);
    }),
  );
});

test("offsets outside the text are moved to its ends", () => {
  assert.deepEqual(clampToGraphemes("abc", -5, 99), { start: 0, end: 3 });
  assert.deepEqual(clampToGraphemes("abc", 2, 1), { start: 2, end: 2 });
  assert.deepEqual(clampToGraphemes("👩‍👩‍👧", 3, 5), { start: 0, end: 0 });
});
