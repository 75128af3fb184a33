import assert from "node:assert/strict";
import { test } from "node:test";
import { answerTypeOf, hasAnswerType } from "./answer-type.ts";

test("a question tells what kind of thing it asks for", () => {
  for (const [question, type] of [
    ["How many airports are there?", "quantity"],
    ["How much did it cost?", "money"],
    ["How deep is the lake?", "quantity"],
    ["In which year was it founded?", "time"],
    ["To whom was it sent?", "person"],
    ["Where does it rise?", "place"],
    ["When did it rise?", "time"],
    ["When does it rise?", "other"],
    ["What happens when it was cut?", "other"],
    ["What did those who cut it say?", "other"],
    ["Why does it stop?", "other"],
    ["What is it made of?", "other"],
  ] as const) {
    assert.equal(answerTypeOf(question), type, question);
  }
});

test("what the question says itself is no answer to it", () => {
  assert(hasAnswerType("How many wires has switch 7?", "Switch 7 has two wires."));
  assert(!hasAnswerType("How many wires has switch 7?", "Switch 7 has wires."));
  assert(!hasAnswerType("How many ships were there?", "It was in 1790."));
  assert(hasAnswerType("Who cut it out?", "Then Greenblatt cut it out."));
  assert(!hasAnswerType("Who is Greenblatt?", "Greenblatt saw the switch."));
  assert(!hasAnswerType("How much did the machine cost?", "The machine had 10 wires."));
  assert(hasAnswerType("How long did it last?", "It lasted more than four centuries."));
  assert(hasAnswerType("When did it end?", "It ended with a treaty in 2000."));
});
