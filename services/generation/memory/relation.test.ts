import assert from "node:assert/strict";
import { test } from "node:test";
import type { Relation } from "./relation.ts";
import { judgeByRules } from "./relation.ts";

const cases: readonly (readonly [statement: string, memory: string, near: number, relation: Relation])[] = [
  ["I don't eat meat any more.", "I eat meat.", 0.6, "contradicts"],
  ["I moved to Munich last month.", "I live in Berlin.", 0.3, "contradicts"],
  ["My team has eight people.", "My team has six people.", 0.7, "contradicts"],
  ["My manager is Daniel Osei.", "My manager is Priya Raman.", 0.4, "contradicts"],
  ["My favourite colour is blue.", "My favourite colour is green.", 0.65, "contradicts"],
  ["Logs are kept for 90 days.", "We keep logs for 30 days.", 0.6, "contradicts"],
  ["My mum lives in Kraków.", "My mother lives in Kraków.", 0.9, "repeats"],
  ["Priya Raman is my manager.", "My manager is Priya Raman.", 0.97, "repeats"],
  ["I don't like long meetings.", "I dislike long meetings.", 0.9, "repeats"],
  ["My brother lives in Gdańsk.", "My mother lives in Kraków.", 0.4, "new"],
  ["The production cluster is called Redwing.", "The staging cluster is called Bluebird.", 0.4, "new"],
  ["My flight to Oslo leaves on Friday.", "My flight to Rome leaves on Monday.", 0.6, "new"],
  ["Our older daughter wants to learn the piano.", "Our older daughter plays the violin.", 0.5, "new"],
  ["I am allergic to penicillin.", "I am a nurse.", 0.02, "new"],
];
for (const [statement, text, near, relation] of cases)
  test(`${relation}: "${statement}" after "${text}"`, () => {
    const judged = judgeByRules(statement, [{ id: "1", text, near }]);
    assert.deepEqual(
      [judged.relation, judged.candidate?.id],
      [relation, relation === "new" ? undefined : "1"],
    );
  });

test("the memory that is contradicted need not be the nearest", () => {
  const candidates = [
    { id: "cat", text: "My cat is called Tom.", near: 0.6 },
    { id: "dog", text: "My dog is called Rex.", near: 0.5 },
  ];
  const { relation, candidate } = judgeByRules("My dog is called Bello now.", candidates);
  assert.deepEqual([relation, candidate?.id], ["contradicts", "dog"]);
});
