import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { HeadwaterError, status } from "@headwater/errors";
import type { ChunkingSettings } from "../chunkers/chunking-settings.ts";
import { parserVersion } from "../parsers/parse-document.ts";
import { ParsingWorker } from "./parsing-worker.ts";
import type { ProcessingLimits } from "./processing-limits.ts";
import { WorkerQueue } from "./worker-queue.ts";

export type { ChunkingSettings, ChunkStrategy } from "../chunkers/chunking-settings.ts";
export { chunkingSettings, readChunkingSettings } from "../chunkers/chunking-settings.ts";
export type { ProcessingLimits } from "./processing-limits.ts";
export { processingSettings, readProcessingLimits } from "./processing-limits.ts";

/** An original, as it was received. */
export interface DocumentSource {
  /** Read, never changed nor detached: the caller may use it again. */
  readonly content: Uint8Array;
  /** As declared; parameters such as charset are heeded. Empty: found by sniffing. */
  readonly mediaType: string;
  /** Uri or id; its suffix helps where the content does not tell the type. */
  readonly name: string;
}

/** A passage; `text` is `document.text.slice(start, end)`. */
export interface ChunkedPassage {
  readonly text: string;
  /** UTF-16 code units into the extracted text; never inside a grapheme. */
  readonly start: number;
  readonly end: number;
  /** Page on which it starts, from 1; 0 where the format has no pages. */
  readonly page: number;
  /** Outermost first. */
  readonly headingPath: readonly string[];
  /** Tokens of `text`, special ones not counted. */
  readonly tokens: number;
}

export interface ProcessedDocument {
  /** Extracted text: well-formed, "\n" line ends, no NUL. */
  readonly text: string;
  /** Found inside the document; empty where there is none. */
  readonly title: string;
  /** As resolved, without parameters. */
  readonly mediaType: string;
  readonly passages: readonly ChunkedPassage[];
}

/** `ok: false`: the document is at fault and would fail again. */
export type ProcessingResult =
  | { readonly ok: true; readonly document: ProcessedDocument }
  | { readonly ok: false; readonly stage: "parse" | "chunk"; readonly error: HeadwaterError };

/** Parses and chunks documents in worker threads. */
export interface DocumentProcessor {
  /**
   * Rejects only where the document is not at fault: HW_CANCELLED when `signal` aborts, HW_PROCESSOR_BUSY
   * (RESOURCE_EXHAUSTED) when the queue is full, HW_PROCESSOR_CLOSED (UNAVAILABLE) after close.
   */
  process(source: DocumentSource, signal: AbortSignal): Promise<ProcessingResult>;
  /** Ends the workers; documents under way reject with HW_PROCESSOR_CLOSED. */
  close(): Promise<void>;
  /** Of the parsers' version, the tokenizer and the chunking settings: equal fingerprints give equal passages. */
  readonly fingerprint: string;
}

export interface ProcessorOptions {
  /** Hugging Face tokenizer.json of the embedding model. */
  readonly tokenizerJson: Uint8Array;
  /** Longest text of the model in tokens, special ones included. */
  readonly maxTokens: number;
  readonly chunking: ChunkingSettings;
  readonly limits: ProcessingLimits;
  /** Threads. Default: one less than the machine's cores, at least 2 (a slow document holds up one), at most 4. */
  readonly workers?: number;
}

/**
 * @throws HeadwaterError FAILED_PRECONDITION, HW_CHUNK_TOO_LARGE, where a passage would not fit the model;
 *   HW_TOKENIZER_INVALID where the tokenizer cannot be read
 */
export async function createDocumentProcessor(options: ProcessorOptions): Promise<DocumentProcessor> {
  const { tokenizerJson, maxTokens, chunking, limits } = options;
  checkPassageFits(chunking, maxTokens);
  const count = options.workers ?? Math.min(4, Math.max(2, availableParallelism() - 1));
  const workers = Array.from({ length: count }, () => new ParsingWorker({ tokenizerJson, chunking, limits }));
  const queue = new WorkerQueue(workers, limits.maxQueue);
  try {
    await Promise.all(workers.map((worker) => worker.ready()));
  } catch (cause) {
    await queue.close();
    throw invalidTokenizer(cause);
  }
  return {
    process: (source, signal) => queue.process({ source, signal }),
    close: () => queue.close(),
    fingerprint: fingerprintOf(tokenizerJson, chunking),
  };
}

/** [CLS] and [SEP], or what a model has in their place. */
const specialTokens = 2;

function checkPassageFits(chunking: ChunkingSettings, maxTokens: number): void {
  const most = maxTokens - specialTokens;
  if (chunking.tokens <= most) return;
  throw new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: "HW_CHUNK_TOO_LARGE",
    message: `HEADWATER_CHUNK_TOKENS="${chunking.tokens}": the embedding model reads at most ${most} tokens.`,
    action: `Set HEADWATER_CHUNK_TOKENS to ${most} or less, with room for titles and headings.`,
  });
}

function invalidTokenizer(cause: unknown): HeadwaterError {
  return new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: "HW_TOKENIZER_INVALID",
    message: "The embedding model's tokenizer.json cannot be read.",
    action: "Check the model's folder.",
    cause,
  });
}

function fingerprintOf(tokenizerJson: Uint8Array, { strategyByType, ...chunking }: ChunkingSettings): string {
  const settings = JSON.stringify([
    parserVersion,
    Object.entries(chunking).sort(),
    Object.entries(strategyByType).sort(),
  ]);
  return createHash("sha256").update(tokenizerJson).update(settings).digest("hex").slice(0, 32);
}
