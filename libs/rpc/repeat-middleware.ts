import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError } from "@headwater/errors";
import { backoffMs, RetryBudget } from "@headwater/resilience";
import type { DeadlineOptions } from "nice-grpc-client-middleware-deadline";
import type { ClientMiddleware } from "nice-grpc-common";

/** Attempts in all. */
const attempts = 3;
/** Calls of one client that may be under way on a server that dies, and are made again at once. */
const callsOfOneServer = 256;

/** Reasons that say that nobody has taken up the call, or that its server is going. */
const nobodyThere: ReadonlySet<string> = new Set(["HW_SERVICE_UNAVAILABLE", "HW_SERVER_DRAINING"]);

/**
 * True for a call that may be made again at once: nobody was there to take it up. Where a service says itself that
 * something behind it is away, it has tried again already; callers that do so too multiply what it can least bear.
 */
export function isNobodyThere(error: HeadwaterError): boolean {
  // No connection came about; with another server of the same service one may.
  return nobodyThere.has(error.reason) || error.reason.startsWith("HW_TLS_");
}

/**
 * Makes calls without side effects (`idempotency_level` in the protos) again where nobody was there, as long as nothing
 * has been answered: round robin takes them elsewhere. Bounded to a share of the calls.
 */
export function repeatMiddleware(): ClientMiddleware<object, DeadlineOptions> {
  const budget = new RetryBudget(callsOfOneServer);
  return async function* repeat(call, options) {
    const { requestStream, method } = call;
    if (requestStream || method.options.idempotencyLevel !== "NO_SIDE_EFFECTS")
      return yield* call.next(call.request, options);
    const { deadline } = options;
    const until = typeof deadline === "number" ? { deadline: new Date(Date.now() + deadline) } : {};
    for (let attempt = 1; ; attempt += 1) {
      let answered = false;
      const answers = call.next(call.request, { ...options, ...until });
      try {
        let step = await answers.next();
        for (; !step.done; step = await answers.next()) {
          answered = true;
          yield step.value;
        }
        if (attempt === 1) budget.earn();
        return step.value;
      } catch (thrown) {
        const again = !answered && attempt < attempts && isNobodyThere(HeadwaterError.from(thrown));
        if (!again || !budget.spend()) throw thrown;
        // Elsewhere somebody is likely to be there already; who is not yet back is given time.
        if (attempt > 1) await delay(backoffMs(attempt - 1), undefined, { signal: options.signal });
      } finally {
        await answers.return(undefined as never);
      }
    }
  };
}
