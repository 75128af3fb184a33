import type { LogPosition } from "@headwater/document-log";
import type { DocumentKey } from "@headwater/passage-index";
import type { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";

/** Where and why a document was given up. */
export interface DocumentFailure {
  /** "read", "parse", "chunk", "embed" or "index". */
  readonly stage: string;
  readonly reason: string;
  readonly message: string;
  readonly attempts: number;
}

export interface DocumentDescription {
  readonly title: string;
  readonly uri: string;
  readonly mediaType: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Unix milliseconds. */
  readonly observedAt: number;
}

/** The newest version of a document that is known, and how far it has come: what people are shown. */
export interface DocumentStatus extends DocumentKey, DocumentDescription {
  readonly version: number;
  readonly state: DocumentState;
  readonly failure: DocumentFailure | null;
  /** Bytes of the original. */
  readonly sizeBytes: number;
  /** Lower-case hex; empty where it is not known. */
  readonly contentSha256: string;
  readonly passages: number;
  /** UTF-16 code units of the extracted text. */
  readonly textLength: number;
  /** Unix milliseconds of the last change of state. */
  readonly updatedAt: number;
}

/** Where the event of a version stood in the log, and when it was appended, in Unix milliseconds. */
export interface EventPlace extends LogPosition {
  readonly timestamp: number;
}

/** The version whose passages are in the indexes. A newer version that failed leaves it as it is. */
export interface ServedDocument extends DocumentDescription {
  readonly version: number;
  readonly contentSha256: string;
  /** Of what the event said beside the content; equal ones need no new passages. */
  readonly descriptionHash: string;
  /** Of model and chunking. */
  readonly fingerprint: string;
  readonly originalKey: string;
  /** The original's own where the text is the original, as in plain text. */
  readonly textKey: string;
  readonly sizeBytes: number;
  readonly passages: number;
  readonly textLength: number;
  /** Not told by rows that were written before it was kept. */
  readonly event?: EventPlace;
}

export interface DocumentRecord {
  readonly status: DocumentStatus;
  /** Highest version that was indexed, given up or deleted; 0 before the first. An event below it comes too late. */
  readonly settledVersion: number;
  /** Null while nothing of the document is in the indexes. */
  readonly served: ServedDocument | null;
}

/** True where nothing more will happen to this version by itself. */
export function isSettled(state: DocumentState): boolean {
  return state >= 4;
}
