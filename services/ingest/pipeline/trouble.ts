import type { HeadwaterError } from "@headwater/errors";
import { retry } from "@headwater/resilience";
import type { Logger } from "@headwater/telemetry";
import type { IngestMetrics } from "../metrics.ts";

/**
 * Milliseconds after which trouble that is not reported again is over: whoever had it tries again within ten seconds,
 * or was called off.
 */
const forgetAfterMs = 60_000;

/**
 * What ingest waits for. A dependency that fails is tried again for ever, and meanwhile named here, so that readiness
 * can say why nothing moves.
 */
export class Trouble {
  readonly #log: Logger;
  readonly #metrics: IngestMetrics;
  readonly #byComponent = new Map<string, { readonly error: HeadwaterError; readonly reportedAt: number }>();

  constructor(log: Logger, metrics: IngestMetrics) {
    this.#log = log;
    this.#metrics = metrics;
  }

  /** The oldest trouble there is; undefined while all is well. */
  get current(): HeadwaterError | undefined {
    return this.#fresh()[0]?.error;
  }

  /** The oldest trouble with anything else. */
  besides(component: string): HeadwaterError | undefined {
    return this.#fresh().find((trouble) => trouble.component !== component)?.error;
  }

  /** What is wrong with this one now. */
  of(component: string): HeadwaterError | undefined {
    return this.#fresh().find((trouble) => trouble.component === component)?.error;
  }

  report(component: string, error: HeadwaterError): void {
    this.#metrics.retries.inc({ component });
    if (this.#byComponent.get(component)?.error.reason !== error.reason)
      this.#log.warn({ component, err: error }, "waiting for a dependency");
    this.#byComponent.set(component, { error, reportedAt: performance.now() });
  }

  /** Something failed that needs no second try, or gets one elsewhere. */
  note(component: string, thrown: unknown): void {
    this.#log.warn({ component, err: thrown }, "failed");
  }

  clear(component: string): void {
    if (this.#byComponent.delete(component)) this.#log.info({ component }, "dependency is back");
  }

  /**
   * Does work that no document is to blame for when it fails: tries for ever.
   *
   * @throws AbortError when `signal` fires, and nothing else
   */
  async patiently<T>(component: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const result = await retry(work, {
      signal,
      retries: () => true,
      onRetry: (error) => this.report(component, error),
    });
    this.clear(component);
    return result;
  }

  #fresh() {
    const since = performance.now() - forgetAfterMs;
    return [...this.#byComponent]
      .filter(([, { reportedAt }]) => reportedAt > since)
      .map(([component, { error }]) => ({ component, error }));
  }
}
