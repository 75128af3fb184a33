import type { Histogram } from "@headwater/telemetry";
import type { Span, Tracer } from "@opentelemetry/api";
import { SpanStatusCode } from "@opentelemetry/api";

export type Step = "wait" | "embed" | "lexical" | "vector" | "fuse" | "rerank";

/** Times the steps of one search: a span, an observation and an entry of the summary for each. */
export class StepTimer {
  /** Milliseconds by step, of the steps that ended. */
  readonly milliseconds: Record<string, number> = {};
  readonly #started = performance.now();
  readonly #tracer: Tracer;
  readonly #seconds: Histogram<"step">;

  constructor(tracer: Tracer, seconds: Histogram<"step">) {
    this.#tracer = tracer;
    this.#seconds = seconds;
  }

  /** Milliseconds since the search began. */
  elapsed(): number {
    return performance.now() - this.#started;
  }

  async time<T>(step: Step, work: () => Promise<T> | T): Promise<T> {
    const started = performance.now();
    return this.#tracer.startActiveSpan(`search.${step}`, async (span: Span) => {
      try {
        return await work();
      } catch (thrown) {
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw thrown;
      } finally {
        this.note(step, performance.now() - started);
        span.end();
      }
    });
  }

  /** A step that was timed elsewhere. */
  note(step: Step, elapsedMs: number): void {
    this.milliseconds[step] = elapsedMs;
    this.#seconds.observe({ step }, elapsedMs / 1000);
  }
}
