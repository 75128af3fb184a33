import assert from "node:assert/strict";
import { test } from "node:test";
import { diffLines, sharesText, variableFaults, variablesIn } from "./prompt-text.ts";

test("variables are found as the server finds them, and checked against those that are filled in", () => {
  assert.deepEqual(variablesIn("{{a}} { {b} } {{ c_1 }} {{a}} {{1x}}"), ["a", "c_1"]);
  const allowed = [
    { name: "date", description: "", required: false },
    { name: "question", description: "", required: true },
  ];
  assert.deepEqual(variableFaults("{{date}} {{query}}", allowed), [
    "{{query}} is not known.",
    "{{question}} is missing.",
  ]);
  assert.deepEqual(variableFaults("{{question}}", allowed), []);
  assert.deepEqual(variableFaults("{{anything}}", []), []);
});

test("shares of a split are told in parts of a hundred", () => {
  assert.equal(sharesText([{ version: 0, weight: 1 }]), "built in");
  assert.equal(
    sharesText([
      { version: 2, weight: 3 },
      { version: 3, weight: 1 },
    ]),
    "version 2 75%, version 3 25%",
  );
});

test("a diff is read line by line, without its head", () => {
  const diff = "===\n--- a\t1\n+++ b\t2\n@@ -1,2 +1,2 @@\n same\n-old\n+new\n";
  assert.deepEqual(diffLines(diff), [
    { kind: "place", text: "@@ -1,2 +1,2 @@" },
    { kind: "same", text: " same" },
    { kind: "removed", text: "-old" },
    { kind: "added", text: "+new" },
  ]);
  assert.deepEqual(diffLines(""), []);
});
