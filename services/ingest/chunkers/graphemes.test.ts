import assert from "node:assert/strict";
import { test } from "node:test";
import { graphemeBoundaryAtOrBefore, isGraphemeBoundary } from "./graphemes.ts";

test("boundaries are those of the whole text's segmentation", () => {
  const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });
  const texts = [
    "plain\r\nlines\n\r",
    "e\u0301a\u0308 n\u0303",
    "👩🏽‍🚀👨‍👩‍👧‍👦 x 🇩🇪🇫🇷🇮🇹 ☎️",
    "각ᄀ\u1161\u11a8 नमस्ते กำ",
    "\u0600\u0661 a\u200d\u200db",
    "日本語か\u3099",
  ];
  for (const text of texts) {
    const boundaries = new Set([...segmenter.segment(text)].map(({ index }) => index).concat(text.length));
    for (let at = 0; at <= text.length; at++) {
      assert.equal(isGraphemeBoundary(text, at), boundaries.has(at), `${JSON.stringify(text)} at ${at}`);
      const before = Math.max(...[...boundaries].filter((boundary) => boundary <= at));
      assert.equal(graphemeBoundaryAtOrBefore(text, at), before);
    }
  }
});

test("a cluster beyond all bounds is cut between code points, in no time", () => {
  const text = `a${"\u{1d165}".repeat(100_000)}`;
  const started = performance.now();
  for (let at = 50_000; at < 50_100; at++) {
    const boundary = graphemeBoundaryAtOrBefore(text, at);
    assert(at - boundary <= 1);
    assert.equal((boundary - 1) % 2, 0);
  }
  assert(performance.now() - started < 5000);
});
