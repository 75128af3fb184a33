import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job } from "@headwater/client";
import { documentsAt, outcomeOf, progressOf } from "./job-words.ts";

const job: Job = {
  id: "j",
  kind: "index",
  state: "active",
  input: {},
  output: undefined,
  progress: { done: 0, total: 0, note: "" },
  error: undefined,
  attempts: 1,
  maxAttempts: 3,
  priority: 0,
  owner: "default",
  createdTime: undefined,
  startedTime: undefined,
  endedTime: undefined,
  startAfter: undefined,
};

test("progress is told as far as it is known", () => {
  assert.equal(progressOf(job), "");
  assert.equal(progressOf({ ...job, progress: { done: 1200, total: 0, note: "reading" } }), "1,200, reading");
  assert.equal(progressOf({ ...job, progress: { done: 3, total: 12, note: "" } }), "3 of 12");
});

test("what came of a job fits its kind", () => {
  assert.equal(outcomeOf(job), "");
  assert.equal(outcomeOf({ ...job, output: { indexed: 1, failed: 2 } }), "1 document indexed, 2 failed");
  assert.equal(
    outcomeOf({ ...job, kind: "reindex", output: { documents: 5, failed: 0 } }),
    "5 documents made anew",
  );
  assert.equal(outcomeOf({ ...job, kind: "chat", output: { answer: "Yes." } }), "Yes.");
});

test("addresses stand one a line, however they are pasted", () => {
  assert.deepEqual(documentsAt(" https://a.example/\n\nhttps://b.example/x  \r\n"), [
    { url: "https://a.example/" },
    { url: "https://b.example/x" },
  ]);
});
