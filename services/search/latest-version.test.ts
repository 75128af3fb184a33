import assert from "node:assert/strict";
import { test } from "node:test";
import { keepLatestVersions } from "./latest-version.ts";
import { passage } from "./testing/passages.ts";

const hit = (documentId: string, version: number) => ({
  passage: { ...passage(`${documentId}/${version}`), documentId, version },
  score: 1,
});

test("of a document that one list has in a newer version, only that version is kept", () => {
  const lexical = [hit("changed", 1), hit("still", 3)];
  const vector = [hit("changed", 2), hit("still", 3), hit("alone", 1)];
  assert.deepEqual(keepLatestVersions({ lexical, vector, limit: 10 }), {
    ...{ lexical: [hit("still", 3)], vector, limit: 10 },
  });
});

test("a list that was not searched stays so", () => {
  const vector = [hit("a", 1)];
  const lists = { lexical: undefined, vector, limit: 10 };
  assert.deepEqual(keepLatestVersions(lists), lists);
});
