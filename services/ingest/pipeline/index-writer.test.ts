import assert from "node:assert/strict";
import { test } from "node:test";
import { createRegistry, silentTelemetry } from "@headwater/telemetry";
import { createIngestMetrics } from "../metrics.ts";
import { MemoryIndex } from "../testing/memory-index.ts";
import { IndexWriter } from "./index-writer.ts";
import { Trouble } from "./trouble.ts";

const tenant = "default";

function openWriter(index: MemoryIndex): IndexWriter {
  const { log } = silentTelemetry("ingest");
  return new IndexWriter({
    ...{ index: () => index, trouble: new Trouble(log, createIngestMetrics(createRegistry("ingest"))) },
    ...{ signal: new AbortController().signal, maxPassages: 100, lingerMs: 0, nothingElse: () => true },
  });
}

test("what was called off while it waited for the indexes is not written, and what waits with it is", async () => {
  const index = new MemoryIndex("g", { model: "m", chunking: "c" }, 4);
  const written: string[] = [];
  const begun = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  index.onWrite = async (documents) => {
    written.push(...documents.map(({ documentId }) => documentId));
    begun.resolve();
    await gate.promise;
  };
  const writer = openWriter(index);
  const lost = new AbortController();
  const kept = new AbortController();
  const document = (documentId: string) => ({ tenant, documentId, version: 1, passages: [] });
  const first = writer.replace(document("first"), kept.signal);
  await begun.promise;
  const waiting = [
    writer.replace(document("lost"), lost.signal),
    writer.remove({ tenant, documentId: "lost deletion" }, lost.signal),
    writer.replace(document("kept"), kept.signal),
    writer.remove({ tenant, documentId: "kept deletion" }, kept.signal),
  ];
  const outcomes = Promise.allSettled(waiting);
  lost.abort();
  gate.resolve();
  await first;
  assert.deepEqual(
    (await outcomes).map((outcome) => outcome.status),
    ["rejected", "rejected", "fulfilled", "fulfilled"],
  );
  assert.deepEqual(written, ["first", "kept", "kept deletion"]);
});
