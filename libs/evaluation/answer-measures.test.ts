import assert from "node:assert/strict";
import { test } from "node:test";
import type { JudgedAnswer } from "./index.ts";
import { measureAnswers } from "./index.ts";

const span = (document: string, start: number, end: number) => ({ document, start, end });

test("measures by hand", () => {
  const answers: JudgedAnswer[] = [
    // One of two pieces is cited, by its second form; the other citation is of another document.
    {
      evidence: [[span("a", 0, 10), span("a", 50, 60)], [span("a", 20, 30)]],
      citations: [span("a", 40, 90), span("b", 0, 10)],
      refused: false,
    },
    // Less than half of the shorter one is shared.
    { evidence: [[span("a", 0, 10)]], citations: [span("a", 6, 100)], refused: false },
    { evidence: [[span("a", 0, 10)]], citations: [], refused: true },
    { evidence: [], citations: [], refused: true },
    { evidence: [], citations: [span("a", 0, 10)], refused: false },
  ];
  assert.deepEqual(measureAnswers(answers), {
    citationPrecision: 1 / 3,
    citationRecall: 0.5 / 3,
    rightRefusals: 1 / 2,
    wrongRefusals: 1 / 3,
    answerable: 3,
    unanswerable: 2,
    citations: 3,
  });
});

test("a set without answers has no share that is not a number", () => {
  const { citationPrecision, citationRecall, rightRefusals } = measureAnswers([]);
  assert.deepEqual([citationPrecision, citationRecall, rightRefusals], [0, 0, 0]);
});
