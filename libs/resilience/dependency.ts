import { HeadwaterError, status } from "@headwater/errors";
import type { CircuitBreakerPolicy } from "cockatiel";
import {
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
  isBrokenCircuitError,
  isTaskCancelledError,
  retry,
  TimeoutStrategy,
  timeout,
} from "cockatiel";
import { DependencyObserver } from "./metrics.ts";
import { RetryBudget } from "./retry-budget.ts";

/** Failures in a row after which calls are refused without being tried. */
const failuresToOpen = 5;
/** Until one call is let through to see whether the server is back; grows while it is not. */
const probeAfterMs = { initialDelay: 500, maxDelay: 5000 };
const retryAfterMs = { initialDelay: 50, maxDelay: 1000 };

export interface DependencyOptions {
  /** As people know it: "Elasticsearch". */
  readonly name: string;
  /** Of the error while it cannot be reached: HW_ELASTICSEARCH_UNAVAILABLE. */
  readonly reason: `HW_${string}_UNAVAILABLE`;
  /** What an operator can do then. */
  readonly action: string;
  /** For one attempt. */
  readonly timeoutMs: number;
  /**
   * Gives what the client library threw its meaning. UNAVAILABLE counts against the server and is tried again;
   * RESOURCE_EXHAUSTED is tried again; anything else is the caller's, and says that the server lives.
   */
  readonly toError: (thrown: unknown) => HeadwaterError;
}

export interface CallOptions {
  /** The caller leaves: the call ends with its AbortError, and nobody is blamed. */
  readonly signal?: AbortSignal | undefined;
  /** In place of the dependency's own, for one attempt. */
  readonly timeoutMs?: number;
  /** Attempts in all, 3 where not given; 1 for what must not be sent twice. */
  readonly attempts?: number;
}

/**
 * A server outside, behind a timeout, a circuit breaker and a bounded number of retries (cockatiel). While it is down,
 * calls fail at once, so that callers can degrade instead of waiting; it is tried now and then, and recovers by itself.
 */
export class Dependency {
  readonly #options: DependencyOptions;
  readonly #breaker: CircuitBreakerPolicy;
  readonly #budget = new RetryBudget();
  readonly #observer: DependencyObserver;

  constructor(options: DependencyOptions) {
    this.#options = options;
    this.#observer = new DependencyObserver(this);
    this.#breaker = circuitBreaker(handleWhen(isDown), {
      halfOpenAfter: new ExponentialBackoff(probeAfterMs),
      breaker: new ConsecutiveBreaker(failuresToOpen),
    });
  }

  /** As metrics have it. */
  get label(): string {
    return this.#options.name.toLowerCase();
  }

  /** True while calls are refused without being tried. */
  get isOpen(): boolean {
    return this.#breaker.state === CircuitState.Open;
  }

  /**
   * @param work one attempt; passes the signal to the client, so that a call that takes too long is really given up
   * @throws HeadwaterError
   * @throws AbortError when the caller's signal fires
   */
  async run<T>(work: (signal: AbortSignal) => Promise<T>, options: CallOptions = {}): Promise<T> {
    const { signal, attempts = 3 } = options;
    signal?.throwIfAborted();
    let retried = false;
    const retries = retry(
      handleWhen((thrown) => mayRetry(thrown) && !signal?.aborted && this.#budget.spend()),
      { maxAttempts: attempts - 1, backoff: new ExponentialBackoff(retryAfterMs) },
    );
    retries.onRetry(() => {
      retried = true;
      this.#observer.retried();
    });
    try {
      const result = await retries.execute(
        () => this.#breaker.execute(() => this.#attempt(work, options), signal),
        signal,
      );
      if (!retried) this.#budget.earn();
      this.#observer.ended("ok");
      return result;
    } catch (thrown) {
      signal?.throwIfAborted();
      const refused = isBrokenCircuitError(thrown);
      // What the caller did wrong is no failure of the server.
      this.#observer.ended(refused ? "refused" : mayRetry(thrown) ? "failed" : "ok");
      if (refused) throw this.#unavailable("does not answer", thrown);
      throw thrown;
    }
  }

  async #attempt<T>(work: (signal: AbortSignal) => Promise<T>, options: CallOptions): Promise<T> {
    const { signal, timeoutMs = this.#options.timeoutMs } = options;
    const started = performance.now();
    try {
      return await timeout(timeoutMs, TimeoutStrategy.Aggressive).execute(
        ({ signal: attemptSignal }) => work(attemptSignal),
        signal,
      );
    } catch (thrown) {
      signal?.throwIfAborted();
      if (isTaskCancelledError(thrown))
        throw this.#unavailable(`did not answer within ${timeoutMs} ms`, thrown);
      throw this.#options.toError(thrown);
    } finally {
      this.#observer.attempted((performance.now() - started) / 1000);
    }
  }

  #unavailable(what: string, cause: unknown): HeadwaterError {
    const { name, reason, action } = this.#options;
    return new HeadwaterError({
      ...{ code: status.UNAVAILABLE, reason, message: `${name} ${what}.`, action, cause },
      retryAfterMs: probeAfterMs.initialDelay,
    });
  }
}

function isDown(thrown: unknown): boolean {
  return thrown instanceof HeadwaterError && thrown.code === status.UNAVAILABLE;
}

function mayRetry(thrown: unknown): boolean {
  return isDown(thrown) || (thrown instanceof HeadwaterError && thrown.code === status.RESOURCE_EXHAUSTED);
}
