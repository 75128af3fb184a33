import assert from "node:assert/strict";
import { test } from "node:test";
import { maxStatements, mayState, statementsOf } from "./statements.ts";

const cases: readonly (readonly [message: string, statements: readonly string[]])[] = [
  ["I am allergic to nuts. What can I eat?", ["I am allergic to nuts."]],
  ["I'm 34 years old and work at Siemens as a nurse.", ["I'm 34 years old", "I work at Siemens as a nurse."]],
  ["I live in Berlin and my sister lives in Bonn.", ["I live in Berlin", "My sister lives in Bonn."]],
  ["My dog is called Rex. He's a poodle.", ["My dog is called Rex.", "My dog is a poodle."]],
  ["My dog is called Rex. He likes cheese.", ["My dog is called Rex.", "My dog likes cheese."]],
  ["Please remember that I hate mushrooms!", ["I hate mushrooms!"]],
  ["By the way, our office is in Lisbon.", ["Our office is in Lisbon."]],
  ["Call me Sam.", ["Call me Sam."]],
  ["Always answer in German.", ["Always answer in German."]],
  ["I usually work night shifts", ["I usually work night shifts"]],
  ["My name is Jo\nI like tea", ["My name is Jo", "I like tea"]],
  ["Summarise the report.", []],
  ["Show me the latest figures", []],
  ["Who won the battle of Hastings?", []],
  ["how do I restart a pod", []],
  ["I want you to write shorter answers.", []],
  ["I would like to know when the shop opens.", []],
  ["I have one more question.", []],
  ["It is closed.", []],
  ["You are wrong.", []],
  ["Perfect.", []],
  ["> I am quoted\n`I am code`\n```\nI am a block\n```", []],
  ["", []],
];
for (const [message, expected] of cases)
  test(`statements of ${JSON.stringify(message)}`, () => assert.deepEqual(statementsOf(message), expected));

test("pasted text is not told: long sentences are left out, and the number of statements is bounded", () => {
  assert.deepEqual(statementsOf(`I have ${"a very ".repeat(60)}long sentence.`), []);
  const many = Array.from({ length: 40 }, (_, at) => `My room number ${at} is blue.`).join(" ");
  assert.equal(statementsOf(many).length, maxStatements);
});

test("a model is asked to read only what may state something", () => {
  const told = cases.filter(([, expected]) => expected.length > 0).map(([message]) => message);
  assert.deepEqual(
    told.filter((message) => !mayState(message)),
    [],
  );
  for (const message of [
    "Who won?",
    "Summarise the report.",
    "Show me the figures. What do they mean?",
    "Thanks!",
    "",
  ])
    assert(!mayState(message), message);
});
