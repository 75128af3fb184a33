import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import type { BadLine } from "./json-lines.ts";
import { readJsonLines } from "./json-lines.ts";

async function read(text: string) {
  const bad: BadLine[] = [];
  const documents = await Array.fromAsync(readJsonLines(Readable.from([text]), (line) => bad.push(line)));
  return { documents, bad };
}

test("reads Headwater's own form and BEIR's", async () => {
  const { documents, bad } = await read(
    [
      '{"id":"a","text":"Springs.","title":"A","attributes":{"lang":"en"},"version":7,"observed_time":"2026-01-31T12:00:00Z"}',
      '{"_id":"b","title":"B","text":"Rivers.","metadata":{"x":1}}',
      "",
      '{"id":"c","content_base64":"JVBERi0=","media_type":"application/pdf"}',
    ].join("\r\n"),
  );
  assert.deepEqual(bad, []);
  assert.deepEqual(documents, [
    {
      id: "a",
      content: "Springs.",
      title: "A",
      mediaType: "text/plain",
      attributes: { lang: "en" },
      version: 7,
      observedTime: new Date("2026-01-31T12:00:00Z"),
    },
    { id: "b", content: "Rivers.", title: "B", mediaType: "text/plain", attributes: { x: "1" } },
    { id: "c", content: Buffer.from("%PDF-"), mediaType: "application/pdf" },
  ]);
});

test("a bad line is told with its number and passed over", async () => {
  const { documents, bad } = await read(
    [
      '{"id":"a","text":"x"',
      '{"text":"x"}',
      '{"id":"b"}',
      "[1]",
      '{"id":"c","text":"kept"}',
      '{"id":"d","text":5}',
    ].join("\n"),
  );
  assert.deepEqual(
    documents.map(({ id }) => id),
    ["c"],
  );
  assert.deepEqual(
    bad.map(({ line, message }) => `${line} ${message}`),
    [
      "1 is not JSON",
      "2 id Invalid input: expected string, received undefined",
      "3 exactly one of text, content_base64 and upload must be given",
      "4 Invalid input: expected object, received array",
      "6 text Invalid input: expected string, received number",
    ],
  );
});
