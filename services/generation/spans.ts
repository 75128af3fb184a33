import { HeadwaterError, statusName } from "@headwater/errors";
import type { Span, SpanOptions, Tracer } from "@opentelemetry/api";
import { context, isSpanContextValid, SpanStatusCode, trace } from "@opentelemetry/api";

/** Runs `work` within a span. */
export async function inSpan<T>(tracer: Tracer, name: string, work: (span: Span) => Promise<T>): Promise<T> {
  return await tracer.startActiveSpan(name, async (span) => {
    try {
      return await work(span);
    } catch (thrown) {
      fail(span, thrown);
      throw thrown;
    } finally {
      span.end();
    }
  });
}

/**
 * Streams within a span that lasts as long as the stream.
 *
 * @param start given undefined where spans go nowhere
 */
export function streamInSpan<T>(
  tracer: Tracer,
  name: string,
  options: SpanOptions,
  start: (span: Span | undefined) => AsyncIterable<T>,
): AsyncIterable<T> {
  const span = tracer.startSpan(name, options);
  return isSpanContextValid(span.spanContext()) ? stepInSpan(span, start) : start(undefined);
}

/** Each step enters the span anew, because an async generator resumes in the context of whoever asks for the next value. */
async function* stepInSpan<T>(span: Span, start: (span: Span) => AsyncIterable<T>): AsyncGenerator<T> {
  const within = trace.setSpan(context.active(), span);
  const iterator = context.with(within, () => start(span)[Symbol.asyncIterator]());
  let ended = false;
  try {
    while (true) {
      const step = await context.with(within, () => iterator.next());
      if (step.done) {
        ended = true;
        return;
      }
      yield step.value;
    }
  } catch (thrown) {
    ended = true;
    fail(span, thrown);
    throw thrown;
  } finally {
    if (!ended) await context.with(within, () => iterator.return?.());
    span.end();
  }
}

function fail(span: Span, thrown: unknown): void {
  const error = HeadwaterError.from(thrown);
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.reason });
  span.setAttribute("error.type", statusName(error.code));
}
