import assert from "node:assert/strict";
import { test } from "node:test";
import { toolContext } from "./testing/tool-context.ts";
import { createTextTool } from "./text-tool.ts";

const tool = createTextTool();
const run = (input: Readonly<Record<string, unknown>>) => tool.run(input, toolContext());

test("characters are counted as people see them", async () => {
  const { text } = await run({ operation: "count", text: "Ünï 👩‍👩‍👧\ntwo" });
  assert.equal(text, "9 characters, 2 words, 2 lines, 16 UTF-16 code units, 28 bytes of UTF-8");
});

test("a pattern is counted and extracted with its places", async () => {
  const text = "strawberry, Raspberry";
  assert.match((await run({ operation: "count", text, pattern: "r" })).text, /^5 matches\./);
  assert.match(
    (await run({ operation: "count", text, pattern: "r", ignore_case: true })).text,
    /^6 matches\./,
  );
  assert.equal(
    (await run({ operation: "extract", text, pattern: "\\w+berry" })).text,
    "at 0: strawberry\nat 12: Raspberry",
  );
  assert.equal((await run({ operation: "extract", text, pattern: "x" })).text, "Nothing matches.");
});

test("a pattern that would never end with backtracking ends at once", async () => {
  const { failed, text } = await run({
    operation: "count",
    text: "a".repeat(50_000),
    pattern: "(a+)+$|(a|aa)+b",
  });
  assert.deepEqual([failed, text.slice(0, 10)], [false, "1 matches."]);
});

test("texts are compared by words or by lines", async () => {
  assert.equal(
    (await run({ operation: "compare", text: "the old pump", other: "the new pump" })).text,
    "the [-old-]{+new+} pump",
  );
  const { text } = await run({ operation: "compare", text: "a\nb\nc\n", other: "a\nx\nc\n" });
  assert.match(text, /^-b$\n^\+x$/m);
  assert.equal((await run({ operation: "compare", text: "a", other: "a" })).text, "The texts are equal.");
});

test("what is missing or cannot be read is told", async () => {
  for (const [input, problem] of [
    [{ operation: "extract", text: "a" }, /as `pattern`/],
    [{ operation: "compare", text: "a" }, /as `other`/],
    [{ operation: "count", text: "a", pattern: "(?=a)" }, /RE2's syntax/],
  ] as const) {
    const { text, failed } = await run(input);
    assert(failed);
    assert.match(text, problem);
  }
});
