import assert from "node:assert/strict";
import { test } from "node:test";
import { sentenceStarts } from "./sentences.ts";

function sentences(text: string): string[] {
  const starts = [0, ...sentenceStarts(text, 0, text.length), text.length];
  return starts.slice(1).map((end, index) => text.slice(starts[index], end).trim());
}

test("abbreviations end no sentence", () => {
  assert.deepEqual(sentences("Dr. Smith met J. Doe in Fig. 3. They spoke (cf. Sec. 2). Nobody heard."), [
    "Dr. Smith met J. Doe in Fig. 3.",
    "They spoke (cf. Sec. 2).",
    "Nobody heard.",
  ]);
});

test("a line that was wrapped goes on, an item of a list does not", () => {
  assert.deepEqual(sentences("This goes\non here. Then:\n- one\n- two\nwrapped\n3) three"), [
    "This goes\non here.",
    "Then:",
    "- one",
    "- two\nwrapped",
    "3) three",
  ]);
});

test("corpora with spaced full stops, and scripts without spaces", () => {
  assert.deepEqual(sentences("flow was measured . results are shown . done"), [
    "flow was measured .",
    "results are shown .",
    "done",
  ]);
  assert.deepEqual(sentences("これは文です。次の文です。"), ["これは文です。", "次の文です。"]);
});

test("nothing changes where a long text is cut into pieces", () => {
  const text = Array.from({ length: 2000 }, (_, at) => `Sentence ${at} is here.`).join(" ");
  const found = sentences(text);
  assert.equal(found.length, 2000);
  assert.equal(found[1234], "Sentence 1234 is here.");
});
