import { HeadwaterClientError } from "@headwater/client";
import { codeOf, HeadwaterError } from "@headwater/errors";
import { retry } from "@headwater/resilience";
import type { Output } from "../terminal/output.ts";

/** Of a run that ends by itself: with the pauses between them about a minute. */
const attemptsOfOneRun = 12;

/** Does again what failed for a reason that passes: a gateway that restarts, a service that is overloaded. */
export type Patiently = <T>(work: () => Promise<T>) => Promise<T>;

/** @param endless true: until it succeeds, or somebody ends it */
export function createPatience(output: Output, endless: boolean, signal: AbortSignal): Patiently {
  return (work) => {
    let told = false;
    return retry(
      async () => {
        try {
          return await work();
        } catch (thrown) {
          throw asHeadwaterError(thrown);
        }
      },
      {
        signal,
        retries: (error, attempt) => isPassing(error) && (endless || attempt < attemptsOfOneRun),
        onRetry: (error) => {
          if (!told) output.note(`${error.message} [${error.reason}] It is tried again until it works.`);
          told = true;
        },
      },
    );
  };
}

/** To put or delete a document twice does no harm. */
function isPassing(error: HeadwaterError): boolean {
  return error.transient || error.reason === "HW_DEADLINE_EXCEEDED";
}

function asHeadwaterError(thrown: unknown): unknown {
  if (!(thrown instanceof HeadwaterClientError)) return thrown;
  const { code, reason, message, action, retryAfterMs } = thrown;
  return new HeadwaterError({
    ...{ code: codeOf(code), reason: reason as `HW_${string}`, message, action, cause: thrown },
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
