import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogRecord } from "@headwater/document-log";
import { DocumentEvent } from "@headwater/proto/services/headwater/v1/event";
import type { DocumentPut } from "./document-change.ts";
import { readDocumentChange } from "./document-change.ts";

const event = {
  ...{ tenant: "acme", id: "guide/1", version: "7", title: "Guide", mediaType: "text/plain" },
  ...{ attributes: { team: "docs" }, observedTime: "2026-01-31T12:00:00Z" },
  inline: Buffer.from("Read me: grüße").toString("base64"),
};

function recordOf(value: unknown, headers: Record<string, string> = {}): LogRecord {
  const bytes = value instanceof Uint8Array ? value : Buffer.from(String(value));
  return { key: "acme/guide/1", value: bytes, headers, partition: 0, offset: 3, timestamp: 1_000 };
}

function readPut(record: LogRecord): DocumentPut {
  const change = readDocumentChange(record);
  return change.kind === "put" ? change : assert.fail("a deletion");
}

test("the JSON form says what the protobuf form says", () => {
  const put = readPut(recordOf(JSON.stringify(event)));
  const bytes = DocumentEvent.encode(DocumentEvent.fromJSON(event)).finish();
  assert.deepEqual(put, readPut(recordOf(bytes)));
  assert.deepEqual([put.tenant, put.documentId, put.version], ["acme", "guide/1", 7]);
  assert.equal(put.content.$case === "inline" && Buffer.from(put.content.value).toString(), "Read me: grüße");
  assert.equal(put.observedAt, Date.UTC(2026, 0, 31, 12));
});

test("JSON that does not begin with a brace is told by its header", () => {
  const json = `\n  ${JSON.stringify(event)}`;
  assert.equal(readPut(recordOf(json, { "content-type": "Application/JSON; charset=utf-8" })).version, 7);
  assert.throws(() => readPut(recordOf(json)), { reason: /^HW_/ });
});

test("without a version the time of the first append counts, also after a replay", () => {
  const json = JSON.stringify({ ...event, version: undefined });
  assert.equal(readPut(recordOf(json)).version, 1_000);
  assert.equal(readPut(recordOf(json, { "headwater-first-appended": "500" })).version, 500);
});

test("what cannot be read says why, and quotes nothing of the document", () => {
  const cases: [unknown, string][] = [
    ['{"title": "secret', "The record's value is not valid JSON."],
    [Buffer.from([0x7b, 0xff, 0x7d]), "The record's value is not valid JSON."],
    [
      JSON.stringify({ ...event, inline: "plain words, not base64" }),
      "The event's inline content is not base64.",
    ],
    [JSON.stringify({ ...event, inline: 5 }), "The event's inline content is not base64."],
    [
      JSON.stringify({ ...event, observedTime: "yesterday" }),
      "The event's observedTime is not of the form 2026-01-31T12:00:00Z.",
    ],
    [Buffer.from([0x0a, 0xff]), "The record's value is neither a protobuf nor a JSON DocumentEvent."],
  ];
  for (const [value, message] of cases)
    assert.throws(() => readDocumentChange(recordOf(value)), { reason: "HW_EVENT_MALFORMED", message });
  assert.throws(() => readDocumentChange(recordOf("[1]", { "content-type": "application/json" })), {
    message: "The record's value is JSON, but not an object.",
  });
});

test("the key and the value must name the same document", () => {
  for (const other of [{ tenant: "other" }, { tenant: undefined }, { id: "guide/2" }])
    assert.throws(() => readDocumentChange(recordOf(JSON.stringify({ ...event, ...other }))), {
      reason: "HW_EVENT_KEY_MISMATCH",
    });
});
