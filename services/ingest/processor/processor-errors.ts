import { HeadwaterError, status } from "@headwater/errors";

export function cancelled(): HeadwaterError {
  return new HeadwaterError({
    code: status.CANCELLED,
    reason: "HW_CANCELLED",
    message: "The caller left before the document was processed.",
  });
}

export function processorClosed(): HeadwaterError {
  return new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_PROCESSOR_CLOSED",
    message: "The document processor is shutting down.",
    action: "Try again; the document has not been lost.",
  });
}

export function processorBusy(): HeadwaterError {
  return new HeadwaterError({
    code: status.RESOURCE_EXHAUSTED,
    reason: "HW_PROCESSOR_BUSY",
    message: "Too many documents wait to be parsed.",
    action: "Send fewer at once, or raise HEADWATER_INGEST_PROCESSOR_QUEUE.",
    retryAfterMs: 1000,
  });
}

export function documentTimeout(timeoutMs: number): HeadwaterError {
  return new HeadwaterError({
    code: status.DEADLINE_EXCEEDED,
    reason: "HW_DOCUMENT_TIMEOUT",
    message: `The document was not processed within ${timeoutMs} ms.`,
    action: "Simplify or split the document, or raise HEADWATER_INGEST_DOCUMENT_TIMEOUT_MS.",
  });
}

export function documentMemory(limitMb: number): HeadwaterError {
  return new HeadwaterError({
    code: status.INVALID_ARGUMENT,
    reason: "HW_DOCUMENT_TOO_COMPLEX",
    message: `Processing the document would take more than ${limitMb} MiB of memory.`,
    action: "Simplify or split the document, or raise HEADWATER_INGEST_WORKER_MEMORY_MB.",
  });
}
