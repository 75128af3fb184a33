import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModelMessage } from "@headwater/language-model";
import { leansOnHistory, resolveFollowUp } from "./follow-up.ts";

function said(...texts: readonly string[]): ModelMessage[] {
  return texts.map((text, index) => ({ role: index % 2 === 0 ? "user" : "assistant", text }));
}

test("names of the question before take the place of a pronoun", () => {
  const history = said("Who built the Canal du Midi?", "Riquet built it.");
  assert.equal(resolveFollowUp("How long is it?", history), "How long is Canal du Midi?");
  assert.equal(resolveFollowUp("What are its locks like?", history), "What are Canal du Midi's locks like?");
});

test("without names, what the answer took up of the question is meant", () => {
  const history = said("What do beavers eat?", "Beavers eat bark.");
  assert.match(resolveFollowUp("Where do they live?", history), /^Where do beavers/);
});

test("a follow-up of a follow-up still means the first subject", () => {
  const history = said("Who built the Aqua Appia?", "Appius.", "How long was it?", "16 km.");
  assert.equal(
    resolveFollowUp("And when was it given up?", history.slice(0, 2)).includes("Aqua Appia"),
    true,
  );
  assert.match(resolveFollowUp("How high is it?", history), /Aqua Appia/);
});

test("a question that stands for itself stays as it is, and so does one without a history", () => {
  const history = said("Who built the Canal du Midi?", "Riquet built it.");
  for (const message of ["Where do grey wagtails nest?", "Which fungus kills plane trees?"]) {
    assert.equal(leansOnHistory(message), false);
    assert.equal(resolveFollowUp(message, history), message);
  }
  assert.equal(resolveFollowUp("How long is it?", []), "How long is it?");
  assert.equal(resolveFollowUp("How long is it?", said("How is it?", "")), "How long is it?");
});
