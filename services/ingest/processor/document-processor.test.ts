import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import { readSettings } from "@headwater/settings";
import { sampleDocuments } from "../parsers/fixtures/sample-documents.ts";
import type { DocumentProcessor, ProcessingLimits, ProcessingResult } from "./document-processor.ts";
import {
  chunkingSettings,
  createDocumentProcessor,
  processingSettings,
  readChunkingSettings,
  readProcessingLimits,
} from "./document-processor.ts";

const tokenizerJson = readFileSync(
  new URL("../../../models/bge-small-en-v1.5-int8/tokenizer.json", import.meta.url),
);
const chunking = readChunkingSettings(readSettings(chunkingSettings, {}));
const defaults = readProcessingLimits(readSettings(processingSettings, {}));
const never = new AbortController().signal;

function create(limits: Partial<ProcessingLimits> = {}, workers = 1): Promise<DocumentProcessor> {
  return createDocumentProcessor({
    tokenizerJson,
    maxTokens: 512,
    chunking,
    limits: { ...defaults, ...limits },
    workers,
  });
}

function source(text: string, mediaType = "text/plain") {
  return { content: new TextEncoder().encode(text), mediaType, name: "test" };
}

function failure(result: ProcessingResult): string {
  return result.ok ? "ok" : `${result.stage} ${result.error.reason}`;
}

/** Passes cheap checks, and takes a parser far more than a second: emphasis that never closes. */
const slow = source("*a **b ".repeat(60_000), "text/markdown");
/** A tree of a million elements. */
const large = source("<p>x".repeat(1_000_000), "text/html");

describe("a processor", () => {
  let processor: DocumentProcessor;
  before(async () => {
    processor = await create({}, 2);
  });
  after(() => processor.close());

  test("gives text, title, type and passages, and leaves the caller its bytes", async () => {
    const markdown = source(
      "# Rivers\n\nThe Rhine flows north.\n\n## Lakes\n\nLake Constance is deep. 🏞️\n",
      "",
    );
    const result = await processor.process({ ...markdown, name: "notes/rivers.md" }, never);
    assert(result.ok);
    const { text, title, mediaType, passages } = result.document;
    assert.equal(text, "Rivers\n\nThe Rhine flows north.\n\nLakes\n\nLake Constance is deep. 🏞️");
    assert.equal(title, "Rivers");
    assert.equal(mediaType, "text/markdown");
    assert.deepEqual(passages, [
      { text, start: 0, end: text.length, page: 0, headingPath: ["Rivers"], tokens: 13 },
    ]);
    assert.equal(markdown.content.byteLength, 76);
  });

  test("passages are slices of the text", async () => {
    const long = Array.from({ length: 300 }, (_, index) => `Sentence ${index} 😀 about água e mar.`).join(
      " ",
    );
    const result = await processor.process(source(long), never);
    assert(result.ok);
    assert(result.document.passages.length > 5);
    for (const { text, start, end } of result.document.passages) {
      assert.equal(text, result.document.text.slice(start, end));
    }
  });

  test("takes a view into a larger buffer, and shared memory", async () => {
    const slab = new TextEncoder().encode("xxxxA view of a slab.xxxx");
    const shared = new Uint8Array(new SharedArrayBuffer(7));
    shared.set(new TextEncoder().encode("Shared."));
    for (const [content, text] of [
      [slab.subarray(4, -4), "A view of a slab."],
      [shared, "Shared."],
    ] as const) {
      const result = await processor.process({ content, mediaType: "text/plain", name: "" }, never);
      assert(result.ok);
      assert.equal(result.document.text, text);
    }
  });

  test("a document that cannot be read comes back with stage and reason", async () => {
    assert.equal(failure(await processor.process(source(""), never)), "parse HW_DOCUMENT_EMPTY");
    const broken = await processor.process(source("%PDF-1.7\nnothing more", "application/pdf"), never);
    assert(!broken.ok);
    assert.equal(failure(broken), "parse HW_DOCUMENT_CORRUPT");
    assert(broken.error instanceof HeadwaterError);
    assert.match(broken.error.message, /not a valid PDF/);
    assert.notEqual(broken.error.action, "");
    assert(broken.error.cause instanceof Error);
  });

  test("many documents at once all come back, in whatever order", async () => {
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        processor.process(source(`Document number ${index}.`), never),
      ),
    );
    assert.deepEqual(
      results.map((result) => result.ok && result.document.text),
      Array.from({ length: 200 }, (_, index) => `Document number ${index}.`),
    );
  });
});

describe("documents that would take a worker down", () => {
  test("one that takes too long fails alone", async () => {
    const processor = await create({ timeoutMs: 1000, workerMemoryMb: 8192 }, 2);
    try {
      const [bad, ...good] = await Promise.all([
        processor.process(slow, never),
        ...Array.from({ length: 20 }, () => processor.process(source("Good."), never)),
      ]);
      // Which of its two steps has the document when time is up depends on the machine.
      assert.match(failure(bad), /^(parse|chunk) HW_DOCUMENT_TIMEOUT$/);
      assert(good.every((result) => result.ok));
      assert((await processor.process(source("And after it."), never)).ok);
    } finally {
      await processor.close();
    }
  });

  test("one that takes too much memory fails alone, and the worker is replaced", async () => {
    const processor = await create({ workerMemoryMb: 160 });
    try {
      const result = await processor.process(large, never);
      assert.equal(failure(result), "parse HW_DOCUMENT_TOO_COMPLEX");
      assert.match(result.ok ? "" : result.error.message, /more than 160 MiB of memory/);
      assert((await processor.process(source("And after it."), never)).ok);
    } finally {
      await processor.close();
    }
  });

  test("a promise that a parser leaves behind does not fail the next document, nor those that go with it", async () => {
    // pdf.js rejects a promise of its own after it has given this file up, which ends the thread.
    const wind = sampleDocuments().find(({ name }) => name === "wind.pdf");
    const broken = Buffer.from(wind?.content ?? []);
    const endOfStream = broken.indexOf("endobj", broken.indexOf("endstream")) + 5;
    broken.fill(0xc0, broken.indexOf("MediaBox") + 7, broken.indexOf("/Filter"));
    broken.fill(0xe6, endOfStream, endOfStream + 150);
    const processor = await create();
    try {
      const pdf = { content: new Uint8Array(broken), mediaType: "application/pdf", name: "" };
      assert.equal(failure(await processor.process(pdf, never)), "parse HW_DOCUMENT_CORRUPT");
      const long = source("A river flows to the sea. ".repeat(20_000));
      assert.equal(failure(await processor.process(long, never)), "ok");
      const among = [...Array.from({ length: 10 }, () => source("A river.")), pdf, source("A lake.")];
      const results = await Promise.all(among.map((one) => processor.process(one, never)));
      assert.deepEqual(
        results.map(failure),
        among.map((one) => (one === pdf ? "parse HW_DOCUMENT_CORRUPT" : "ok")),
      );
    } finally {
      await processor.close();
    }
  });

  test("too many passages fail in the chunk stage", async () => {
    const processor = await create({ maxPassages: 3 });
    try {
      const result = await processor.process(source("river ".repeat(2000)), never);
      assert.equal(failure(result), "chunk HW_DOCUMENT_TOO_MANY_PASSAGES");
    } finally {
      await processor.close();
    }
  });
});

describe("what is not a document's fault rejects", () => {
  const hasReason = (reason: string) => (thrown: unknown) =>
    thrown instanceof HeadwaterError && thrown.reason === reason;

  test("the caller leaves: while waiting, and while the document is parsed", async () => {
    const processor = await create();
    try {
      const running = new AbortController();
      const waiting = new AbortController();
      const first = processor.process(slow, running.signal);
      const second = processor.process(source("Waits."), waiting.signal);
      const third = processor.process(source("Waits, too."), never);
      waiting.abort();
      await assert.rejects(second, hasReason("HW_CANCELLED"));
      running.abort();
      await assert.rejects(first, hasReason("HW_CANCELLED"));
      assert((await third).ok);
      await assert.rejects(processor.process(source("Late."), waiting.signal), hasReason("HW_CANCELLED"));
    } finally {
      await processor.close();
    }
  });

  test("the queue is full", async () => {
    const processor = await create({ maxQueue: 2 });
    try {
      const running = Array.from({ length: 3 }, (_, index) => processor.process(source(`${index}.`), never));
      await assert.rejects(processor.process(source("One too many."), never), hasReason("HW_PROCESSOR_BUSY"));
      assert((await Promise.all(running)).every((result) => result.ok));
    } finally {
      await processor.close();
    }
  });

  test("the processor closes", async () => {
    const processor = await create();
    const results = [processor.process(slow, never), processor.process(source("Waits."), never)];
    const settled = Promise.allSettled(results);
    await processor.close();
    for (const outcome of await settled) {
      assert(outcome.status === "rejected");
      assert(hasReason("HW_PROCESSOR_CLOSED")(outcome.reason));
    }
    await assert.rejects(processor.process(source("Late."), never), hasReason("HW_PROCESSOR_CLOSED"));
  });

  test("settings do not fit the model, or there is no tokenizer", async () => {
    const options = { maxTokens: 512, chunking, limits: defaults, workers: 1 };
    await assert.rejects(
      createDocumentProcessor({ ...options, tokenizerJson, maxTokens: 128 }),
      hasReason("HW_CHUNK_TOO_LARGE"),
    );
    await assert.rejects(
      createDocumentProcessor({ ...options, tokenizerJson: new TextEncoder().encode("{}") }),
      hasReason("HW_TOKENIZER_INVALID"),
    );
  });
});

test("the fingerprint follows what shapes passages, and nothing else", async () => {
  const fingerprints: string[] = [];
  for (const [env, limits] of [
    [{}, {}],
    [{}, { timeoutMs: 5000, maxQueue: 7 }],
    [{ HEADWATER_CHUNK_TOKENS: "200" }, {}],
    [{ HEADWATER_CHUNK_STRATEGY_BY_TYPE: "text/html=window" }, {}],
  ] as const) {
    const processor = await createDocumentProcessor({
      tokenizerJson,
      maxTokens: 512,
      chunking: readChunkingSettings(readSettings(chunkingSettings, env)),
      limits: { ...defaults, ...limits },
      workers: 1,
    });
    fingerprints.push(processor.fingerprint);
    await processor.close();
  }
  assert.equal(fingerprints[0], fingerprints[1]);
  assert.equal(new Set(fingerprints).size, 3);
});
