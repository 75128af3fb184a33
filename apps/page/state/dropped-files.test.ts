import assert from "node:assert/strict";
import { test } from "node:test";
import { isClutter, pastedFile } from "./dropped-files.ts";

test("what systems leave in folders is not added", () => {
  for (const path of [".DS_Store", "a/.git/config", "x/Thumbs.db", "p/node_modules/q/r.js"])
    assert(isClutter(path), path);
  for (const path of ["a.md", "a.b/c.txt", "docs/thumbs.db.md"]) assert(!isClutter(path), path);
});

test("pasted text is named by its first line and the time", async () => {
  const file = pastedFile("\n## Rivers\nflow", "", new Date("2026-11-21T12:34:56Z"));
  assert.equal(file.id, "pasted/2026-11-21-12-34-56.txt");
  assert.equal(file.title, "Rivers");
  assert.equal(await file.content.text(), "\n## Rivers\nflow");
  assert.equal(pastedFile("x", " Given ", new Date()).title, "Given");
});
