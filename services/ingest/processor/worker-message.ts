import type { HeadwaterErrorOptions } from "@headwater/errors";
import { HeadwaterError } from "@headwater/errors";
import type { PassageSpan } from "../chunkers/chunk-document.ts";
import type { ChunkingSettings } from "../chunkers/chunking-settings.ts";
import type { ProcessedDocument, ProcessingResult } from "./document-processor.ts";
import type { ProcessingLimits } from "./processing-limits.ts";

/** What a worker thread is started with. */
export interface WorkerSetup {
  /** In shared memory: one copy for all workers. */
  readonly tokenizerJson: Uint8Array;
  readonly chunking: ChunkingSettings;
  readonly limits: ProcessingLimits;
  /** One shared number, written by the worker: where it is with a document of its own, should it not come back. */
  readonly stage: Int32Array;
}

export const stages = ["parse", "chunk"] as const;
export type Stage = (typeof stages)[number];

/** A document for a worker thread. It is sent several at one time; none: whether it is up. */
export interface WorkerTask {
  readonly content: Uint8Array;
  readonly mediaType: string;
  readonly name: string;
}

/** Passages go as columns of numbers, which are copied at once; their texts are cut again on the other side. */
export type WorkerReply =
  | {
      readonly ok: true;
      readonly text: string;
      readonly title: string;
      readonly mediaType: string;
      /** start, end, page, tokens and index into `headingPaths` of each passage. */
      readonly columns: Uint32Array;
      readonly headingPaths: readonly (readonly string[])[];
    }
  | { readonly ok: false; readonly stage: Stage; readonly error: PlainError };

/** An error as structured clone can carry it. */
type PlainError = Pick<HeadwaterError, "code" | "reason" | "message" | "action"> & { readonly cause: string };

const columnCount = 5;

export function packPassages(spans: readonly PassageSpan[]) {
  const columns = new Uint32Array(spans.length * columnCount);
  const indexes = new Map<readonly string[], number>();
  spans.forEach(({ start, end, page, tokens, headingPath }, row) => {
    const path = indexes.get(headingPath) ?? indexes.size;
    indexes.set(headingPath, path);
    columns.set([start, end, page, tokens, path], row * columnCount);
  });
  return { columns, headingPaths: [...indexes.keys()] };
}

export function unpackReply(reply: WorkerReply): ProcessingResult {
  return reply.ok
    ? { ok: true, document: unpackDocument(reply) }
    : { ok: false, stage: reply.stage, error: unpackError(reply.error) };
}

function unpackDocument(reply: Extract<WorkerReply, { ok: true }>): ProcessedDocument {
  const { text, title, mediaType, columns, headingPaths } = reply;
  const passages = Array.from({ length: columns.length / columnCount }, (_, row) => {
    const [start = 0, end = 0, page = 0, tokens = 0, path = 0] = columns.subarray(row * columnCount);
    return { text: text.slice(start, end), start, end, page, headingPath: headingPaths[path] ?? [], tokens };
  });
  return { text, title, mediaType, passages };
}

export function packError(thrown: unknown): PlainError {
  const { code, reason, message, action, cause } = HeadwaterError.from(thrown);
  return {
    code,
    reason,
    message,
    action,
    cause: cause instanceof Error ? (cause.stack ?? cause.message) : "",
  };
}

function unpackError({ cause, ...error }: PlainError): HeadwaterError {
  const options: HeadwaterErrorOptions = { ...error, reason: error.reason as `HW_${string}` };
  return new HeadwaterError(cause === "" ? options : { ...options, cause: new Error(cause) });
}
