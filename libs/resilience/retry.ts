import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError } from "@headwater/errors";

/** First wait; doubles with each attempt. */
const firstDelayMs = 100;
/** Longest wait: a dependency that comes back is noticed within this time. */
const longestDelayMs = 10_000;

/** Milliseconds before attempt `attempt` + 1: exponential, with full jitter so that many do not knock at once. */
export function backoffMs(attempt: number): number {
  const ceiling = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(attempt - 1, 16));
  return ceiling / 2 + Math.random() * (ceiling / 2);
}

export interface RetryOptions {
  readonly signal: AbortSignal;
  /** False: give up and throw. `attempt` counts from 1. */
  readonly retries: (error: HeadwaterError, attempt: number) => boolean;
  readonly onRetry: (error: HeadwaterError, attempt: number) => void;
}

/**
 * @throws what `work` threw last, as a HeadwaterError, where `retries` says no
 * @throws AbortError when `signal` fires
 */
export async function retry<T>(
  work: (attempt: number) => Promise<T>,
  { signal, retries, onRetry }: RetryOptions,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await work(attempt);
    } catch (thrown) {
      signal.throwIfAborted();
      const error = HeadwaterError.from(thrown);
      if (!retries(error, attempt)) throw error;
      onRetry(error, attempt);
      await delay(Math.max(backoffMs(attempt), error.retryAfterMs ?? 0), undefined, { signal });
    }
  }
}
