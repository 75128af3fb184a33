import { HeadwaterError, status } from "@headwater/errors";

/** For what a setting's own schema cannot tell, as when two settings do not go together. `name` is the variable's. */
export function invalidSetting(name: string, message: string, cause?: unknown): HeadwaterError {
  return new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: "HW_SETTINGS_INVALID",
    message: `1 setting is not valid:\n  ${name}: ${message}`,
    action: "Correct the environment variables named above and start again.",
    cause,
  });
}
