import type { Interceptor } from "@connectrpc/connect";
import { ConnectError } from "@connectrpc/connect";
import { requestContext } from "@headwater/telemetry";
import type { Span, Tracer } from "@opentelemetry/api";
import {
  context,
  isSpanContextValid,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { requestIdHeader } from "./observation.ts";

/**
 * A client span for each call to a service, whose context travels with the call, so that one trace leads from the
 * caller to the last token; the request id goes with it.
 */
export function traceCalls(tracer: Tracer): Interceptor {
  return (next) => async (request) => {
    // Probes come every second and are nobody's request.
    if (request.service.typeName === "grpc.health.v1.Health") return next(request);
    const span = tracer.startSpan(`${request.service.typeName}/${request.method.name}`, {
      kind: SpanKind.CLIENT,
      attributes: {
        "rpc.system": "grpc",
        "rpc.service": request.service.typeName,
        "rpc.method": request.method.name,
      },
    });
    const active = trace.setSpan(context.active(), span);
    propagation.inject(active, request.header, { set: (header, key, value) => header.set(key, value) });
    const requestId = requestContext()?.requestId;
    if (requestId !== undefined) request.header.set(requestIdHeader, requestId);
    // Spans go nowhere: nothing is made of each message of a stream either.
    if (!isSpanContextValid(span.spanContext())) return next(request);
    try {
      const response = await context.with(active, () => next(request));
      if (response.stream) return { ...response, message: traced(response.message, span, request.signal) };
      span.end();
      return response;
    } catch (thrown) {
      fail(span, thrown);
      span.end();
      throw thrown;
    }
  };
}

async function* traced<T>(messages: AsyncIterable<T>, span: Span, signal: AbortSignal): AsyncGenerator<T> {
  let count = 0;
  // A reader who stops early aborts the call and never comes back for the next message: the span ends with the call.
  const leave = () => span.end();
  signal.addEventListener("abort", leave, { once: true });
  try {
    for await (const message of messages) {
      count += 1;
      yield message;
    }
    span.setAttribute("rpc.messages", count);
  } catch (thrown) {
    fail(span, thrown);
    throw thrown;
  } finally {
    signal.removeEventListener("abort", leave);
    if (span.isRecording()) span.end();
  }
}

function fail(span: Span, thrown: unknown): void {
  const { code, rawMessage } = ConnectError.from(thrown);
  span.setAttribute("rpc.grpc.status_code", code);
  span.setStatus({ code: SpanStatusCode.ERROR, message: rawMessage });
}
