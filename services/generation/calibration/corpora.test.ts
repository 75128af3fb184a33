import assert from "node:assert/strict";
import { test } from "node:test";
import { candidateSentences } from "@headwater/language-model/extraction";
import { readQuestionSet } from "./corpora.ts";

test("the evidence of each question is a part of one sentence of the texts", () => {
  const { passages, questions } = readQuestionSet();
  const texts = candidateSentences(passages.map((passage, index) => ({ ...passage, number: index + 1 }))).map(
    ({ text }) => text,
  );
  for (const { question, evidence } of questions) {
    for (const words of evidence)
      assert(
        texts.some((text) => text.includes(words)),
        `${question} ${words}`,
      );
  }
  assert.equal(questions.filter(({ evidence }) => evidence.length > 0).length, 31);
});
