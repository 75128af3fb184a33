import { Code, HeadwaterClientError } from "@headwater/client";

/** What went wrong, in the words of the server, and what can be done. */
export interface Fault {
  readonly message: string;
  readonly action: string;
  /** Stable, `HW_…`. */
  readonly reason: string;
  /** True where the same can succeed later without anybody mending anything. */
  readonly transient: boolean;
  readonly retryAfterMs: number | undefined;
}

/** @returns undefined where the call was ended from here, which is no fault */
export function faultOf(thrown: unknown, signal?: AbortSignal): Fault | undefined {
  if (signal?.aborted) return undefined;
  const error = HeadwaterClientError.from(thrown);
  if (error.code === Code.Canceled) return undefined;
  return {
    message: error.message || "The server gave no reason.",
    action: error.action,
    reason: error.reason,
    transient: error.transient,
    retryAfterMs: error.retryAfterMs,
  };
}
