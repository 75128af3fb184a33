import { HeadwaterError, status, statusName } from "@headwater/errors";
import { isSpanContextValid, trace } from "@opentelemetry/api";
import type { DestinationStream, Logger } from "pino";
import { pino } from "pino";
import { requestContext } from "./request-context.ts";

export type { Logger } from "pino";

export const logLevels = ["trace", "debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * A logger that writes one JSON object a line to standard error (standard output belongs to what a command prints).
 * Each line has the service and, inside a request, request id, tenant and trace id. Never log document text, a query
 * or a secret.
 */
export function createLogger(service: string, level: LogLevel, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      mixin: contextFields,
    },
    destination ?? pino.destination({ fd: 2, sync: true }),
  );
}

function contextFields(): Record<string, string> {
  const request = requestContext();
  const span = trace.getActiveSpan()?.spanContext();
  return {
    ...(request ? { request_id: request.requestId } : {}),
    ...(request?.tenant === undefined ? {} : { tenant: request.tenant }),
    ...(span && isSpanContextValid(span) ? { trace_id: span.traceId } : {}),
  };
}

/**
 * An error as a log line holds it; the cause is written out because callers are never shown it. A stack is for the
 * errors that nobody foresaw: the others say themselves where they come from.
 */
function describeError(thrown: unknown): Record<string, unknown> {
  const error = HeadwaterError.from(thrown);
  const cause = error.cause instanceof Error ? error.cause : undefined;
  const unforeseen = error.code === status.INTERNAL || error.code === status.UNKNOWN;
  return {
    code: statusName(error.code),
    reason: error.reason,
    message: error.message,
    ...(error.action ? { action: error.action } : {}),
    ...(cause ? { cause: cause.message } : {}),
    ...(unforeseen ? { stack: (cause ?? error).stack } : {}),
  };
}
