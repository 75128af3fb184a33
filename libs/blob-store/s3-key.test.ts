import assert from "node:assert/strict";
import { test } from "node:test";
import { keyFromMetadata, keyOfName, namePrefix, s3Key } from "./s3-key.ts";

test("keys become names that anybody takes, and come back", () => {
  const names: readonly (readonly [string, string])[] = [
    ["uploads/acme/0f/17-a_B", "uploads/acme/0f/17-a_B"],
    ["..", "!2e!2e"],
    ["a/../b", "a/!2e!2e/b"],
    ["/a//b/", "!2fa/!2fb!2f"],
    ["a/", "a!2f"],
    ["a!2f", "a!212f"],
    ["ü 🚀", "!c3!bc!20!f0!9f!9a!80"],
  ];
  for (const [key, name] of names) {
    assert.deepEqual(s3Key(key, 0), { name, keyInMetadata: undefined });
    assert.equal(keyOfName(name), key);
  }
});

test("the name of a key begins with the prefix of its prefixes", () => {
  for (const key of ["a/b/c", "/a//b/", "a/", "ü/ü.txt", "..//.."]) {
    const { name } = s3Key(key, 0);
    for (let end = 0; end <= key.length; end += 1) {
      const prefix = key.slice(0, end);
      if (prefix.isWellFormed()) assert.ok(name.startsWith(namePrefix(prefix)), `${name} of ${prefix}`);
    }
  }
});

test("a key that is too long with what comes before it lies under its hash", () => {
  assert.equal(s3Key("x".repeat(1_024), 0).name.length, 1_024);
  for (const { key, before } of [
    { key: "x".repeat(1_024), before: 1 },
    { key: "ü".repeat(512), before: 0 },
  ]) {
    const { name, keyInMetadata } = s3Key(key, before);
    assert.match(name, /^~long\/[0-9a-f]{64}$/);
    assert.equal(keyFromMetadata(keyInMetadata ?? ""), key);
  }
});

test("a name that is none of ours is passed over", () => {
  for (const name of ["", "a.txt", "a!2", "a!GG", "~long/00"]) assert.equal(keyOfName(name), undefined);
});
