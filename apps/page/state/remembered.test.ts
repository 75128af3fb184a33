import assert from "node:assert/strict";
import { test } from "node:test";
import { Remembered } from "./remembered.ts";

test("the oldest value is forgotten first", () => {
  const values = new Remembered<number>(2);
  values.set("a", 1);
  values.set("b", 2);
  values.set("a", 3);
  values.set("c", 4);
  assert.deepEqual([values.get("a"), values.get("b"), values.get("c")], [3, undefined, 4]);
});
