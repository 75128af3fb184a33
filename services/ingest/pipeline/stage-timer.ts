import type { Tracer } from "@opentelemetry/api";
import { ROOT_CONTEXT, SpanStatusCode, trace } from "@opentelemetry/api";
import type { IngestMetrics, Stage } from "../metrics.ts";
import type { DocumentJob } from "./document-job.ts";

/** Observes each stage of a document: a span below the document's own, and its duration. */
export class StageTimer {
  readonly #tracer: Tracer;
  readonly #metrics: IngestMetrics;

  constructor(tracer: Tracer, metrics: IngestMetrics) {
    this.#tracer = tracer;
    this.#metrics = metrics;
  }

  async run<T>(stage: Stage, job: DocumentJob, work: () => Promise<T>): Promise<T> {
    const span = this.#tracer.startSpan(`ingest.${stage}`, {}, trace.setSpan(ROOT_CONTEXT, job.span));
    const started = performance.now();
    try {
      return await work();
    } catch (thrown) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: thrown instanceof Error ? thrown.message : "" });
      throw thrown;
    } finally {
      this.#metrics.stageSeconds.observe({ stage }, (performance.now() - started) / 1000);
      span.end();
    }
  }
}
