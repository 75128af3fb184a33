import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError } from "@headwater/errors";
import type { LanguageModel, ModelEvent, ModelRequest } from "@headwater/language-model";
import { RetryBudget } from "@headwater/resilience";
import type { IBackoff } from "cockatiel";
import { ExponentialBackoff } from "cockatiel";
import { begin } from "./begun-stream.ts";

/** With jitter (decorrelated), so that those who failed together do not come back together. */
const backoffMs = { initialDelay: 200, maxDelay: 5000 };
/** A service that asks for more patience than this is not waited for: a fallback may answer sooner. */
const longestWaitMs = 10_000;
/** A model that said nothing for its whole first-token timeout is not given a second one. */
const notRetried = "HW_MODEL_TIMEOUT";

/**
 * Asks a model again that failed before its first event, where that may help. Waits as long as the service asked for,
 * and over time tries again for at most one in ten requests: more would multiply what overloads the service.
 *
 * @param retries attempts after the first
 */
export function withRetries(
  model: LanguageModel,
  retries: number,
  onRetry: (error: HeadwaterError) => void,
): LanguageModel {
  const budget = new RetryBudget();
  return {
    ...model,
    async *generate(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
      let backoff: IBackoff<unknown> | undefined;
      for (let attempt = 0; ; attempt += 1) {
        const outcome = await attemptOf(model, request, signal);
        if (!(outcome instanceof HeadwaterError)) {
          if (attempt === 0) budget.earn();
          yield* outcome;
          return;
        }
        backoff = (backoff ?? new ExponentialBackoff(backoffMs)).next(undefined);
        const waitMs = Math.max(backoff.duration, outcome.retryAfterMs ?? 0);
        const helps = outcome.transient && outcome.reason !== notRetried && waitMs <= longestWaitMs;
        if (!helps || attempt >= retries || !budget.spend()) throw outcome;
        onRetry(outcome);
        await delay(waitMs, undefined, { signal });
      }
    },
  };
}

/** The begun stream, or why it did not begin; whatever is no HeadwaterError is thrown. */
async function attemptOf(
  model: LanguageModel,
  request: ModelRequest,
  signal: AbortSignal,
): Promise<AsyncIterable<ModelEvent> | HeadwaterError> {
  try {
    return await begin(model.generate(request, signal));
  } catch (thrown) {
    if (thrown instanceof HeadwaterError && !signal.aborted) return thrown;
    throw thrown;
  }
}
