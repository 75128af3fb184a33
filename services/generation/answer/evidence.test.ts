import assert from "node:assert/strict";
import { test } from "node:test";
import { findEvidence } from "./evidence.ts";

const never = new AbortController().signal;
const text = "Pumps are old. The valve was opened by Watt in May. It closed in June.";
const source = { number: 1, title: "", text };
const quote = ({ start, end }: { start: number; end: number }) => text.slice(start, end);

test("by words alone, the sentence that has most of the claim's words is the evidence", async () => {
  const found = await findEvidence("Watt opened the valve", source, async () => undefined, never);
  assert.equal(quote(found), "The valve was opened by Watt in May.");
  assert.equal(found.support, 1);
});

test("likeness in meaning decides where words do not", async () => {
  const rank = async (_: string, sentences: readonly string[]) => ({
    scale: "late-interaction" as const,
    scores: sentences.map((sentence) => (sentence.includes("June") ? 0.9 : 0.6)),
  });
  const found = await findEvidence("He shut off the tap", source, rank, never);
  assert.equal(quote(found), "It closed in June.");
  assert(found.support > 0.3 && found.support < 0.5);
});

test("a claim that the source does not make has no support", async () => {
  const found = await findEvidence("Bananas are yellow", source, async () => undefined, never);
  assert.equal(found.support, 0);
});

test("a source without sentences is evidence as a whole, without support", async () => {
  assert.deepEqual(await findEvidence("x", { ...source, text: "—" }, async () => undefined, never), {
    start: 0,
    end: 1,
    support: 0,
  });
});
