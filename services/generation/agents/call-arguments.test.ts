import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createTool } from "../testing/agent-harness.ts";
import { createArgumentCheck, readObject } from "./call-arguments.ts";

test("what can mean one thing is mended; what was cut off or means two things is not", () => {
  for (const [written, object] of [
    ['{"a": 1}', { a: 1 }],
    ["", {}],
    ["  ", {}],
    ['```json\n{"a": 1}\n```', { a: 1 }],
    ['{"a": [1, 2,], "b": ",}",}', { a: [1, 2], b: ",}" }],
    ['"{\\"a\\": 1}"', { a: 1 }],
    ['{"a": 1', undefined],
    ['{"a": "x', undefined],
    ["{a: 1}", undefined],
    ["[1]", undefined],
    ["null", undefined],
    ["5", undefined],
    ['{"a": 1} {"b": 2}', undefined],
  ] as const) {
    assert.deepEqual(readObject(written), object, written);
  }
});

test("whatever is written, it is an object or it is refused", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (written) => {
      const object = readObject(written);
      assert(object === undefined || (typeof object === "object" && !Array.isArray(object)));
    }),
  );
});

test("arguments are checked by the tool's schema, and a schema that is none refuses its own tool alone", () => {
  const check = createArgumentCheck();
  const run = async () => ({ text: "", failed: false });
  const good = createTool("good", run);
  const bad = createTool("bad", run, { parameters: { type: "nonsense" } });
  assert.deepEqual(check(good, '{"query": "x"}'), { ok: true, input: { query: "x" } });
  for (const [tool, written, problem] of [
    [good, "{}", /must have required property 'query'/],
    [good, '{"query": 1}', /query must be string/],
    [good, '{"query": "x", "y": 1}', /must NOT have additional properties \(y\)/],
    [good, "x", /are no JSON object/],
    [bad, "{}", /its schema is not valid/],
  ] as const) {
    const checked = check(tool, written);
    assert(!checked.ok);
    assert.match(checked.problem, problem);
  }
});
