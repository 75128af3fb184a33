import { HeadwaterError, statusName } from "@headwater/errors";
import type { Span, SpanOptions, Tracer } from "@opentelemetry/api";
import { context, SpanStatusCode, trace } from "@opentelemetry/api";

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
 * Steps a stream within a span that lasts as long as the stream. Each step enters the span anew, because an async
 * generator resumes in the context of whoever asks for the next value.
 */
export async function* streamInSpan<T>(
  tracer: Tracer,
  name: string,
  options: SpanOptions,
  start: (span: Span) => AsyncIterable<T>,
): AsyncGenerator<T> {
  const span = tracer.startSpan(name, options);
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
