import { integer } from "@headwater/settings";
import type { z } from "zod";

/** What one document may cost. Beyond a limit it fails with a reason; other documents are not disturbed. */
export interface ProcessingLimits {
  /** Milliseconds for parsing and chunking one document, waiting not counted. */
  readonly timeoutMs: number;
  /** Mebibytes that a worker may hold, on the JavaScript heap and as much again in buffers. */
  readonly workerMemoryMb: number;
  /** Longest extracted text in UTF-16 code units. */
  readonly maxTextLength: number;
  /** Most passages of one document. */
  readonly maxPassages: number;
  /** Most bytes that a packed format (DOCX) may unpack to. */
  readonly maxUnpackedBytes: number;
  /** Documents that may wait for a worker; more are refused at once with RESOURCE_EXHAUSTED. */
  readonly maxQueue: number;
}

const mebibyte = 1024 * 1024;

export const processingSettings = {
  HEADWATER_INGEST_DOCUMENT_TIMEOUT_MS: integer(100, 3_600_000)
    .default(60_000)
    .describe("Milliseconds for parsing and chunking one document; a document that takes longer fails"),
  HEADWATER_INGEST_WORKER_MEMORY_MB: integer(64, 16_384)
    .default(512)
    .describe("Mebibytes that the parsing of one document may take; a document that takes more fails"),
  HEADWATER_INGEST_MAX_TEXT_LENGTH: integer(1024, 256 * mebibyte)
    .default(16 * mebibyte)
    .describe("Longest extracted text of a document in UTF-16 code units; a longer one fails"),
  HEADWATER_INGEST_MAX_PASSAGES: integer(1, 1_000_000)
    .default(25_000)
    .describe("Most passages of one document; one with more fails"),
  HEADWATER_INGEST_MAX_UNPACKED_BYTES: integer(mebibyte, 4096 * mebibyte)
    .default(256 * mebibyte)
    .describe(
      "Most bytes that a packed document (DOCX) may unpack to; a larger one fails before it is unpacked",
    ),
  HEADWATER_INGEST_PROCESSOR_QUEUE: integer(1, 100_000)
    .default(256)
    .describe("Documents that may wait for a parsing worker"),
};

type ProcessingValues = z.output<z.ZodObject<typeof processingSettings>>;

/** @param values what `readSettings` gave for a shape that holds `processingSettings` */
export function readProcessingLimits(values: ProcessingValues): ProcessingLimits {
  return {
    timeoutMs: values.HEADWATER_INGEST_DOCUMENT_TIMEOUT_MS,
    workerMemoryMb: values.HEADWATER_INGEST_WORKER_MEMORY_MB,
    maxTextLength: values.HEADWATER_INGEST_MAX_TEXT_LENGTH,
    maxPassages: values.HEADWATER_INGEST_MAX_PASSAGES,
    maxUnpackedBytes: values.HEADWATER_INGEST_MAX_UNPACKED_BYTES,
    maxQueue: values.HEADWATER_INGEST_PROCESSOR_QUEUE,
  };
}
