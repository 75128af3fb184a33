import { HeadwaterClientError } from "@headwater/client";
import { HeadwaterError } from "@headwater/errors";

/** What a look at one thing has shown. */
export interface Finding {
  readonly check: string;
  readonly healthy: boolean;
  readonly message: string;
  /** What to do; empty where all is well. */
  readonly action: string;
}

export function healthy(check: string, message: string): Finding {
  return { check, healthy: true, message, action: "" };
}

export function failedCheck(check: string, thrown: unknown): Finding {
  const error =
    thrown instanceof HeadwaterError && thrown.reason !== "HW_INTERNAL"
      ? thrown
      : HeadwaterClientError.from(thrown);
  return { check, healthy: false, message: `${error.message} [${error.reason}]`, action: error.action };
}
