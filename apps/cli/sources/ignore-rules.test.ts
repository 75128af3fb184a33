import assert from "node:assert/strict";
import { test } from "node:test";
import { ignoreRules } from "./ignore-rules.ts";

test("hidden paths and node_modules are passed over, whatever patterns say", () => {
  const rules = ignoreRules(["!.env", "!.git/"]);
  for (const path of [".env", "a/.git/config", "a/.b/c.md", "node_modules/", "a/node_modules/b.js", "../a"])
    assert.equal(rules.matches(path), true, path);
  for (const path of ["a.md", "a/b.env", "node_modules.md"]) assert.equal(rules.matches(path), false, path);
});

test("patterns are those of a .gitignore", () => {
  const rules = ignoreRules(["*.tmp", "!keep.tmp", "drafts/", "/top.md", "# a comment"]);
  for (const path of ["a.tmp", "b/c.tmp", "drafts/", "a/drafts/b.md", "top.md"])
    assert.equal(rules.matches(path), true, path);
  for (const path of ["keep.tmp", "b/keep.tmp", "drafts", "a/top.md"])
    assert.equal(rules.matches(path), false, path);
});

test("a key of a bucket may have any form", () => {
  const rules = ignoreRules([]);
  for (const key of ["/a", "a//b", "//", "a\\b", "a b"]) assert.equal(rules.matches(key), false, key);
});
