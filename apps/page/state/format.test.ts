import assert from "node:assert/strict";
import { test } from "node:test";
import * as format from "./format.ts";

test("numbers read as people write them", () => {
  assert.equal(format.counted(1, "document"), "1 document");
  assert.equal(format.counted(12_345n, "passage"), "12,345 passages");
  assert.deepEqual([0, 999, 1500, 123_456, 5e6, 7.2e9].map(format.bytes), [
    "0 B",
    "999 B",
    "1.5 KB",
    "123 KB",
    "5.0 MB",
    "7.2 GB",
  ]);
  assert.deepEqual([0.42, 9.96, 48.2, 1234, 12_345].map(format.milliseconds), [
    "0.4 ms",
    "10.0 ms",
    "48 ms",
    "1.23 s",
    "12.3 s",
  ]);
  assert.deepEqual([0, 0.1234, 1.5, 12.34, 432.1, -0.5].map(format.score), [
    "0.000",
    "0.123",
    "1.50",
    "12.3",
    "432",
    "-0.500",
  ]);
});

test("times that lie ahead are rough, and unknown ones are silent", () => {
  assert.deepEqual([0.4, 42, 600, 9000, Number.POSITIVE_INFINITY].map(format.remaining), [
    "about a second",
    "about 42 s",
    "about 10 min",
    "about 3 h",
    "",
  ]);
});

test("times that lie behind grow coarser", () => {
  const now = new Date("2026-11-21T12:00:00Z");
  const before = (seconds: number) => format.ago(new Date(now.getTime() - seconds * 1000), now);
  assert.deepEqual([3, 42, 600, 7200].map(before), ["just now", "42 s ago", "10 min ago", "2 h ago"]);
  assert.match(before(400_000), /2026/);
});

test("a document without a title goes by the end of its id, a place leaves out what the title says", () => {
  assert.equal(format.titleOf({ id: "a/b/c.md", title: "" }), "c.md");
  assert.equal(format.titleOf({ id: "a/b/c.md", title: "C" }), "C");
  assert.equal(format.placeOf(3, ["Dams", "Spillways"], "Dams"), "page 3 · Spillways");
  assert.equal(format.placeOf(0, ["Dams"], "Dams"), "");
  assert.equal(format.mediaTypeName("text/x-python"), "python");
});
