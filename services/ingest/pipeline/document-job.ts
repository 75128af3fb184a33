import type { LogRecord } from "@headwater/document-log";
import type { HeadwaterError } from "@headwater/errors";
import type { Span } from "@opentelemetry/api";
import type { DocumentFailure, DocumentRecord } from "../catalog/document-record.ts";
import type { Stage } from "../metrics.ts";

/** One event of the log on its way through the pipeline. */
export interface DocumentJob {
  readonly record: LogRecord;
  /** Fires when the event is another consumer's, or the service stops. */
  readonly signal: AbortSignal;
  readonly span: Span;
  /** What the catalog knew when the event was received; read again where another event of the document was under way. */
  readonly known: DocumentRecord | undefined;
}

/** A document that can never be processed as it is. */
export class PoisonError extends Error {
  readonly stage: Stage;
  readonly failure: DocumentFailure;
  override readonly cause: HeadwaterError;

  constructor(stage: Stage, error: HeadwaterError, attempts = 1) {
    super(error.message);
    this.stage = stage;
    this.cause = error;
    const message = error.action ? `${error.message} ${error.action}` : error.message;
    // The database takes no NUL, and a failure that cannot be written would block its partition.
    this.failure = { stage, reason: error.reason, message: message.replaceAll("\0", ""), attempts };
  }
}
