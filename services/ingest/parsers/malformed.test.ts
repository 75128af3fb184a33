import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { HeadwaterError } from "@headwater/errors";
import { readSettings } from "@headwater/settings";
import type { DocumentProcessor, ProcessingResult } from "../processor/document-processor.ts";
import {
  chunkingSettings,
  createDocumentProcessor,
  processingSettings,
  readChunkingSettings,
  readProcessingLimits,
} from "../processor/document-processor.ts";
import { bombs } from "./fixtures/bombs.ts";
import type { MalformedDocument } from "./malformed.ts";
import { malformedDocuments } from "./malformed.ts";

const tokenizerJson = readFileSync(
  new URL("../../../models/bge-small-en-v1.5-int8/tokenizer.json", import.meta.url),
);
/** HEADWATER_MALFORMED_DOCUMENTS=10000 for a long run. */
const count = Number(process.env["HEADWATER_MALFORMED_DOCUMENTS"] ?? 200);
const never = new AbortController().signal;

/** What is a fault of ours, whatever the document. */
const faults = new Set(["HW_INTERNAL", "HW_PARSER_CRASHED", "HW_PROCESSOR_BUSY"]);

describe("malformed documents", () => {
  let processor: DocumentProcessor;
  before(async () => {
    processor = await createDocumentProcessor({
      tokenizerJson,
      maxTokens: 512,
      chunking: readChunkingSettings(readSettings(chunkingSettings, {})),
      limits: {
        ...readProcessingLimits(readSettings(processingSettings, {})),
        timeoutMs: 20_000,
        workerMemoryMb: 256,
        maxTextLength: 2_000_000,
        maxUnpackedBytes: 10_000_000,
      },
      workers: 2,
    });
  });
  after(() => processor.close());

  test(`each of ${count} ends as a document or with a reason`, async () => {
    const documents = malformedDocuments(count, 2026);
    const reasons = new Map<string, number>();
    const work = async () => {
      for (const document of documents) {
        const result = await processor.process(document, never);
        assertSound(result, document);
        const outcome = result.ok ? "ok" : result.error.reason;
        reasons.set(outcome, (reasons.get(outcome) ?? 0) + 1);
      }
    };
    await Promise.all([work(), work(), work()]);
    // The corpus has to be worth its name: neither all good, nor all refused for one reason.
    assert(reasons.size >= 4, JSON.stringify([...reasons]));
  });

  test("each bomb ends in time, and good documents go on between them", async () => {
    const explosives = bombs().values();
    const work = async () => {
      for (const bomb of explosives) {
        assertSound(await processor.process(bomb, never), { ...bomb, why: "bomb" });
      }
    };
    await Promise.all([work(), work()]);
    const good = await processor.process(
      { content: new TextEncoder().encode("Still here."), mediaType: "text/plain", name: "" },
      never,
    );
    assert(good.ok);
  });
});

test("the same seed gives the same documents", () => {
  const first = [...malformedDocuments(60, 5)];
  assert(isDeepStrictEqual(first, [...malformedDocuments(60, 5)]));
  assert(!isDeepStrictEqual(first.slice(0, 20), [...malformedDocuments(20, 6)]));
});

function assertSound(result: ProcessingResult, { name, why }: MalformedDocument): void {
  if (!result.ok) {
    assert(result.error instanceof HeadwaterError);
    assert.match(result.error.reason, /^HW_[A-Z_]+$/);
    assert(
      !faults.has(result.error.reason),
      `${name} (${why}): ${result.error.reason} ${String(result.error.cause)}`,
    );
    assert(result.error.message.length > 0 && result.error.message.length < 1000);
    return;
  }
  const { text, passages } = result.document;
  assert(text.isWellFormed() && !text.includes("\0"), `${name} (${why}): text is not fit to be stored`);
  assert(passages.length > 0, `${name} (${why}): no passages`);
  let covered = 0;
  for (const passage of passages) {
    assert(passage.text === text.slice(passage.start, passage.end), `${name} (${why}): offsets`);
    assert(
      text.slice(covered, Math.max(covered, passage.start)).trim() === "",
      `${name} (${why}): text is lost`,
    );
    covered = Math.max(covered, passage.end);
  }
  assert(text.slice(covered).trim() === "", `${name} (${why}): the end is lost`);
}
