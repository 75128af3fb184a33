import type { BlobStore } from "@headwater/blob-store";
import type { LogRecord } from "@headwater/document-log";
import { HeadwaterError } from "@headwater/errors";
import { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import { retry } from "@headwater/resilience";
import type { Budget } from "../batching/budget.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type {
  DocumentRecord,
  DocumentStatus,
  EventPlace,
  ServedDocument,
} from "../catalog/document-record.ts";
import { originalKey, textKey } from "../documents/blob-keys.ts";
import { maxLoneAttempts } from "../embedding/embed-stream.ts";
import type { Embedder } from "../embedding/embedder.ts";
import type { IngestMetrics, Outcome } from "../metrics.ts";
import type { DocumentProcessor, ProcessedDocument } from "../processor/document-processor.ts";
import type { DocumentPut } from "./document-change.ts";
import type { DocumentContent } from "./document-content.ts";
import { loadContent, measureContent } from "./document-content.ts";
import type { DocumentJob } from "./document-job.ts";
import { PoisonError } from "./document-job.ts";
import type { IndexWriter } from "./index-writer.ts";
import { maxIndexAttempts } from "./index-writer.ts";
import { describe, textsToEmbed, toDocumentPassages } from "./passages.ts";
import { settleWritten } from "./settle.ts";
import type { StageTimer } from "./stage-timer.ts";
import type { Trouble } from "./trouble.ts";
import { judge } from "./verdict.ts";

export interface PutParts {
  readonly catalog: Catalog;
  readonly blobs: BlobStore;
  readonly processor: DocumentProcessor;
  readonly embedder: Embedder;
  readonly writer: IndexWriter;
  readonly trouble: Trouble;
  readonly metrics: IngestMetrics;
  readonly stages: StageTimer;
  /** Bytes of originals that are being worked on. */
  readonly contents: Budget;
  /** Documents that are being parsed. */
  readonly parsers: Budget;
  readonly maxContentBytes: number;
  /** Of model and chunking. */
  readonly fingerprint: string;
  /** The generation of the indexes that `writer` writes into. */
  readonly generation: string;
}

/**
 * Takes one new version of a document from its event to the indexes. The order of the side effects makes a crash
 * between any two of them harmless: blobs under keys of their own, then the indexes, then the catalog, and only then
 * is the event done; whatever was not reached is done again, to the same end.
 *
 * @throws PoisonError where the document is at fault
 */
export async function applyPut(parts: PutParts, job: DocumentJob, put: DocumentPut): Promise<Outcome> {
  const quick = await settleUnprocessed(parts, job, put);
  if (quick) return quick;

  const size = await readBlobs(job, parts, () => measureContent(put, parts.blobs, parts.maxContentBytes));
  const release = await parts.contents.acquire(size, job.signal);
  try {
    return await process(parts, job, put);
  } finally {
    release();
  }
}

async function process(parts: PutParts, job: DocumentJob, put: DocumentPut): Promise<Outcome> {
  const content = await parts.stages.run("read", job, () =>
    readBlobs(job, parts, () => loadContent(put, parts.blobs)),
  );
  const complete = { ...put, contentSha256: content.sha256 };
  // An event that did not tell its hash is compared only now.
  if (put.contentSha256 === "") {
    const late = await settleUnprocessed(parts, job, complete);
    if (late) return late;
  }
  const status = statusOf(complete, job, content.bytes.length);
  noteProgress(parts, job, { ...status, state: DocumentState.PARSING });
  const processed = await parts.stages.run("parse", job, () => parse(parts, job, complete, content));

  const description = describe({ ...put, observedAt: status.observedAt }, processed);
  const texts = textsToEmbed(description.title, processed);
  const described = { ...status, ...description, textLength: processed.text.length };
  noteProgress(parts, job, { ...described, state: DocumentState.EMBEDDING, updatedAt: Date.now() });
  const keys = keysOf(complete, content, processed.text);
  const [vectors] = await Promise.all([
    parts.stages.run("embed", job, () => embed(parts, job, texts)),
    keep(parts, job, complete, content, keys, processed.text),
  ]);

  const passages = toDocumentPassages(put, description, processed, vectors);
  await parts.stages.run("index", job, async () => {
    try {
      await parts.writer.replace(passages, job.signal);
    } catch (thrown) {
      throw blame("index", thrown, job.signal);
    }
  });
  const served: ServedDocument = {
    ...description,
    version: put.version,
    contentSha256: content.sha256,
    descriptionHash: put.reindex
      ? (job.known?.served?.descriptionHash ?? put.descriptionHash)
      : put.descriptionHash,
    fingerprint: parts.fingerprint,
    originalKey: keys.original,
    textKey: keys.text,
    sizeBytes: content.bytes.length,
    passages: processed.passages.length,
    textLength: processed.text.length,
    event: placeOf(job.record),
  };
  await settleWritten(parts, job, {
    status: { ...described, state: DocumentState.INDEXED, passages: served.passages, updatedAt: Date.now() },
    served,
    unusedBlobs: blobsOf(job.known).filter((key) => key !== keys.original && key !== keys.text),
  });
  parts.metrics.bytes.inc(content.bytes.length);
  parts.metrics.passages.inc(served.passages);
  return "indexed";
}

/** Not where a newer version is in the log already: that one is what people are shown. */
function noteProgress(parts: PutParts, { known }: DocumentJob, status: DocumentStatus): void {
  if (!known || known.status.version <= status.version) parts.catalog.noteProgress(status);
}

/** The blobs of the version that is served. */
export function blobsOf(known: DocumentRecord | undefined): string[] {
  return known?.served ? [...new Set([known.served.originalKey, known.served.textKey])] : [];
}

function placeOf({ partition, offset, timestamp }: LogRecord): EventPlace {
  return { partition, offset, timestamp };
}

/** What there is to show of an event before it is parsed. */
export function statusOf(put: DocumentPut, job: DocumentJob, sizeBytes: number): DocumentStatus {
  const { tenant, documentId, version, title, uri, attributes } = put;
  return {
    ...{ tenant, documentId, version, title, uri, attributes, sizeBytes },
    mediaType: (put.mediaType.split(";")[0] ?? "").trim().toLowerCase(),
    observedAt: put.observedAt ?? job.record.timestamp,
    state: DocumentState.PARSING,
    failure: null,
    contentSha256: put.contentSha256,
    passages: 0,
    textLength: 0,
    updatedAt: Date.now(),
  };
}

/** Events that need no new passages. @returns undefined for the others */
async function settleUnprocessed(
  parts: PutParts,
  job: DocumentJob,
  put: DocumentPut,
): Promise<Outcome | undefined> {
  const { known } = job;
  const verdict = judge(put, known, parts.fingerprint);
  if (verdict === "process" || !known) return undefined;
  const leftover = unneededUpload(put, known);
  if (verdict === "unchanged" && known.served) {
    const { served } = known;
    const status: DocumentStatus = {
      ...statusOf(put, job, served.sizeBytes),
      title: served.title,
      mediaType: served.mediaType,
      observedAt: served.observedAt,
      state: DocumentState.INDEXED,
      passages: served.passages,
      textLength: served.textLength,
    };
    await settleWritten(parts, job, { status, unusedBlobs: leftover });
    return "unchanged";
  }
  if (leftover.length > 0)
    await parts.trouble.patiently("catalog", job.signal, () => parts.catalog.addUnusedBlobs(leftover));
  parts.catalog.confirm(known.status);
  return verdict === "stale" ? "stale" : "unchanged";
}

function unneededUpload({ content }: DocumentPut, known: DocumentRecord): string[] {
  return content.$case === "blob" && content.value !== known.served?.originalKey ? [content.value] : [];
}

function keyOfOriginal(put: DocumentPut): string {
  return put.content.$case === "blob" ? put.content.value : originalKey(put, put.version, put.contentSha256);
}

/** Reads an original: a store that cannot be reached is tried for ever, an original that is not there is the end. */
async function readBlobs<T>(job: DocumentJob, parts: PutParts, work: () => Promise<T>): Promise<T> {
  try {
    const result = await retry(work, {
      signal: job.signal,
      retries: (error) => error.transient,
      onRetry: (error) => parts.trouble.report("blobs", error),
    });
    parts.trouble.clear("blobs");
    return result;
  } catch (thrown) {
    throw blame("read", thrown, job.signal);
  }
}

async function parse(
  parts: PutParts,
  job: DocumentJob,
  put: DocumentPut,
  content: DocumentContent,
): Promise<ProcessedDocument> {
  const source = { content: content.bytes, mediaType: put.mediaType, name: put.uri || put.documentId };
  const release = await parts.parsers.acquire(1, job.signal);
  try {
    const { trouble, processor } = parts;
    const result = await trouble.patiently("processor", job.signal, () =>
      processor.process(source, job.signal),
    );
    if (result.ok) return result.document;
    throw new PoisonError(result.stage, result.error);
  } finally {
    release();
  }
}

async function embed(
  parts: PutParts,
  job: DocumentJob,
  texts: ReturnType<typeof textsToEmbed>,
): Promise<Float32Array[]> {
  try {
    return await parts.embedder.embed(texts, job.signal);
  } catch (thrown) {
    throw blame("embed", thrown, job.signal);
  }
}

interface BlobKeys {
  readonly original: string;
  readonly text: string;
}

/** A text that is the original, byte for byte, is not stored a second time. */
function keysOf(put: DocumentPut, content: DocumentContent, text: string): BlobKeys {
  const original = keyOfOriginal(put);
  const isOriginal = text.length <= content.bytes.length && Buffer.from(text).equals(content.bytes);
  return { original, text: isOriginal ? original : textKey(put, put.version) };
}

async function keep(
  parts: PutParts,
  job: DocumentJob,
  put: DocumentPut,
  content: DocumentContent,
  keys: BlobKeys,
  text: string,
): Promise<void> {
  const store = (key: string, bytes: Uint8Array) =>
    parts.trouble.patiently("blobs", job.signal, () => parts.blobs.put(key, bytes));
  await Promise.all([
    keys.text === keys.original ? undefined : store(keys.text, Buffer.from(text)),
    put.content.$case === "inline" ? store(keys.original, content.bytes) : undefined,
  ]);
}

/** @returns what to throw: a document is to blame unless its work was called off */
function blame(stage: "read" | "embed" | "index", thrown: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  const attempts = { read: 1, embed: maxLoneAttempts, index: maxIndexAttempts }[stage];
  return new PoisonError(stage, HeadwaterError.from(thrown), attempts);
}
