import { APICallError } from "@ai-sdk/provider";
import { HeadwaterError, status } from "@headwater/errors";

/**
 * A failed call of a model service as the HeadwaterError that callers understand. Bodies and messages of the service
 * are left out, in the cause as well: they may repeat the key or the prompt, and causes are logged.
 *
 * @param name the model's name in Headwater
 */
export function toModelError(thrown: unknown, name: string): HeadwaterError {
  if (thrown instanceof HeadwaterError) return thrown;
  if (!APICallError.isInstance(thrown)) return streamBroken(name);
  const code = thrown.statusCode;
  if (code === undefined) return unavailable(name, `could not be reached (${networkCode(thrown)})`);
  if (code < 400) return streamBroken(name);
  switch (code) {
    case 401:
    case 403:
      return new HeadwaterError({
        code: status.FAILED_PRECONDITION,
        reason: "HW_MODEL_KEY_REFUSED",
        message: `The service of model "${name}" refused the key (HTTP ${code}).`,
        action:
          "Set a valid key: HEADWATER_OPENAI_API_KEY, or what the models file names, and start generation again.",
      });
    case 404:
      return new HeadwaterError({
        code: status.FAILED_PRECONDITION,
        reason: "HW_MODEL_NOT_FOUND",
        message: `The service of model "${name}" does not know the model or the path (HTTP 404).`,
        action: "Check the model's name and base URL in the settings; the URL ends like https://host/v1.",
      });
    case 429: {
      const retryAfterMs = retryAfter(thrown.responseHeaders ?? {});
      return new HeadwaterError({
        code: status.RESOURCE_EXHAUSTED,
        reason: "HW_MODEL_BUSY",
        message: `The service of model "${name}" takes no more requests for now (HTTP 429).`,
        action: "Try again later, or name another model.",
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      });
    }
    default:
      if (code === 408 || code >= 500) return unavailable(name, `failed (HTTP ${code})`);
      return new HeadwaterError({
        code: status.FAILED_PRECONDITION,
        reason: "HW_MODEL_REQUEST_REFUSED",
        message: `The service of model "${name}" refused the request (HTTP ${code}).`,
        action:
          "The prompt may be too long for the model: lower its context tokens in the settings. If tools were offered, the model may not take them: set its tool calling to text.",
      });
  }
}

/** The stream ended before the model said why it stopped, or held something that is not of the protocol. */
export function streamBroken(name: string): HeadwaterError {
  return new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_MODEL_STREAM_BROKEN",
    message: `The stream of model "${name}" broke off before its end.`,
    action: "What was streamed is not complete; ask again.",
  });
}

/** Nothing came for `afterMs` milliseconds. */
export function modelTimeout(name: string, waitingFor: "first" | "next", afterMs: number): HeadwaterError {
  return new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_MODEL_TIMEOUT",
    message: `Model "${name}" sent no ${waitingFor} token within ${afterMs} ms.`,
    action: `Ask again, or raise the model's timeout for the ${waitingFor} token in the settings.`,
  });
}

function unavailable(name: string, what: string): HeadwaterError {
  return new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_MODEL_UNAVAILABLE",
    message: `The service of model "${name}" ${what}.`,
    action: "Check that it runs and that the model's base URL in the settings is right, then ask again.",
  });
}

function networkCode(thrown: unknown): string {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ("code" in error && typeof error.code === "string") return error.code;
  }
  return "no network error code";
}

/** Milliseconds, from `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3). */
function retryAfter(headers: Readonly<Record<string, string>>): number | undefined {
  const value = headers["retry-after"];
  if (value === undefined) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, Math.round(ms)) : undefined;
}
