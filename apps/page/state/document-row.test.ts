import assert from "node:assert/strict";
import { test } from "node:test";
import type { Document } from "@headwater/client";
import { isIn, rowOf, stateLabel, withDocument } from "./document-row.ts";

const document: Document = {
  id: "a.md",
  version: 5,
  title: "",
  uri: "",
  mediaType: "text/markdown",
  attributes: {},
  observedTime: undefined,
  state: "indexed",
  failure: undefined,
  sizeBytes: 12,
  passages: 3,
  textLength: 12,
  updatedTime: undefined,
  contentSha256: "",
};

test("news of an older version changes nothing", () => {
  const row = { ...rowOf(document), version: 6, state: "queued" as const };
  assert.equal(withDocument(row, document), row);
  assert.equal(withDocument(row, { ...document, version: 6 }).state, "indexed");
});

test("a file that is about to be sent again is not indexed because its last version was", () => {
  for (const state of ["waiting", "sending"] as const) {
    const row = { ...rowOf(document), version: 0, state };
    assert.equal(withDocument(row, document).state, state);
  }
});

test("a title that the page knows outlives a document that has none yet", () => {
  const row = { ...rowOf(document), title: "Notes" };
  assert.equal(withDocument(row, document).title, "Notes");
  assert.equal(withDocument(row, { ...document, title: "Better" }).title, "Better");
});

test("each state belongs to a group, and sending tells how much has left", () => {
  assert(isIn("active", "sending") && isIn("active", "embedding") && !isIn("active", "failed"));
  assert(isIn("failed", "refused") && isIn("indexed", "indexed") && !isIn("all", "deleted"));
  assert.equal(stateLabel({ ...rowOf(document), state: "sending", sent: 0.419 }), "Sending 41 %");
});
