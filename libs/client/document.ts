import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type {
  DocumentMetadata as MetadataMessage,
  TextRange as RangeMessage,
} from "@headwater/proto/connect/headwater/v1/common";
import type {
  Document as DocumentMessage,
  Failure as FailureMessage,
} from "@headwater/proto/connect/headwater/v1/ingest";
import { DocumentState as StateNumber } from "@headwater/proto/connect/headwater/v1/ingest";

/** A half-open range of a text in UTF-16 code units: `text.slice(start, end)`. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** What is known of a document beside its content. */
export interface DocumentMetadata {
  readonly id: string;
  /** Grows with each change; unix milliseconds by default. */
  readonly version: number;
  readonly title: string;
  readonly uri: string;
  readonly mediaType: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly observedTime: Date | undefined;
}

export const documentStates = ["queued", "parsing", "embedding", "indexed", "failed", "deleted"] as const;
export type DocumentState = (typeof documentStates)[number];

/** Why a document could not be processed. */
export interface Failure {
  /** "read", "parse", "chunk", "embed" or "index". */
  readonly stage: string;
  readonly reason: string;
  readonly message: string;
  readonly attempts: number;
}

/** A document and how far it has come. */
export interface Document extends DocumentMetadata {
  readonly state: DocumentState;
  /** Set when the state is "failed". */
  readonly failure: Failure | undefined;
  readonly sizeBytes: number;
  /** Passages in the indexes; 0 until indexed. */
  readonly passages: number;
  /** Length of the extracted text in UTF-16 code units; 0 until parsed. */
  readonly textLength: number;
  readonly updatedTime: Date | undefined;
  /** SHA-256 of the original, lower-case hex. */
  readonly contentSha256: string;
}

export function toRange(range: RangeMessage | undefined): TextRange {
  return { start: range?.start ?? 0, end: range?.end ?? 0 };
}

export function toDate(time: Timestamp | undefined): Date | undefined {
  return time && timestampDate(time);
}

export function toMetadata(message: MetadataMessage | undefined): DocumentMetadata {
  return {
    id: message?.id ?? "",
    version: Number(message?.version ?? 0n),
    title: message?.title ?? "",
    uri: message?.uri ?? "",
    mediaType: message?.mediaType ?? "",
    attributes: message?.attributes ?? {},
    observedTime: toDate(message?.observedTime),
  };
}

export function toFailure(message: FailureMessage | undefined): Failure | undefined {
  if (message === undefined) return undefined;
  const { stage, reason, attempts } = message;
  return { stage, reason, message: message.message, attempts };
}

export function toDocument(message: DocumentMessage | undefined): Document {
  return {
    ...toMetadata(message?.metadata),
    state: toState(message?.state ?? StateNumber.UNSPECIFIED),
    failure: toFailure(message?.failure),
    sizeBytes: Number(message?.sizeBytes ?? 0n),
    passages: message?.passages ?? 0,
    textLength: message?.textLength ?? 0,
    updatedTime: toDate(message?.updatedTime),
    contentSha256: message?.contentSha256 ?? "",
  };
}

/** States are numbered from 1 in the order of `documentStates`; one that a newer server added reads as "queued". */
export function toState(state: StateNumber): DocumentState {
  return documentStates[state - 1] ?? "queued";
}

export function fromState(state: DocumentState): StateNumber {
  return (documentStates.indexOf(state) + 1) as StateNumber;
}
