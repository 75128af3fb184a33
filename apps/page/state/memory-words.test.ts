import assert from "node:assert/strict";
import { test } from "node:test";
import { explainDecision } from "./memory-words.ts";

test("a decision is told with the parts of its score", () => {
  const decision = { statement: "The user lives in Goslar.", memoryId: "", threshold: 0.35 };
  assert.equal(
    explainDecision({
      ...{ ...decision, action: "stored", surprise: 0.84 },
      parts: { distance: 0.8, density: 0.9, momentary: 0.75, momentum: 0.09 },
    }),
    "Remembered, as it is new. Nothing that is remembered comes near it (distance 0.80, where memories around it lie 0.90 apart), and what was told just before adds 0.09: a surprise of 0.84, at or above the threshold of 0.35.",
  );
  assert.match(
    explainDecision({
      ...{ ...decision, action: "skipped", surprise: 0.1 },
      parts: { distance: 0.1, density: 0.5, momentary: 0.1, momentum: 0 },
    }),
    /^Not kept.*Memory has nearly the same already \(distance 0\.10,.*apart\): a surprise of 0\.10, below/,
  );
});
