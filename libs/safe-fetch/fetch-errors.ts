import { HeadwaterError, invalidArgument, status } from "@headwater/errors";

const { DEADLINE_EXCEEDED, FAILED_PRECONDITION, NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE } = status;

export function urlInvalid(problem: string): HeadwaterError {
  return invalidArgument(
    "HW_URL_INVALID",
    `The address cannot be fetched: ${problem}.`,
    "Give an http or https address without user name and password.",
  );
}

export function hostForbidden(host: string): HeadwaterError {
  return new HeadwaterError({
    ...{ code: PERMISSION_DENIED, reason: "HW_HOST_FORBIDDEN" },
    message: `${host} is not on the list of hosts that may be fetched from.`,
    action: "Add it to the list if it is to be trusted.",
  });
}

export function addressForbidden(host: string): HeadwaterError {
  return new HeadwaterError({
    ...{ code: PERMISSION_DENIED, reason: "HW_ADDRESS_FORBIDDEN" },
    message: `${host} has no public address; private networks are not fetched from.`,
    action: "Name its address, its network or its host as allowed if it is to be trusted.",
  });
}

export function responseTooLarge(maxBytes: number): HeadwaterError {
  return new HeadwaterError({
    ...{ code: FAILED_PRECONDITION, reason: "HW_RESPONSE_TOO_LARGE" },
    message: `The answer is larger than ${maxBytes} bytes.`,
    action: "Raise the limit, or ask for less.",
  });
}

export function tooManyRedirects(maxRedirects: number): HeadwaterError {
  return new HeadwaterError({
    ...{ code: FAILED_PRECONDITION, reason: "HW_REDIRECTS_TOO_MANY" },
    message: `The address leads on more than ${maxRedirects} times, or in a circle.`,
  });
}

export function fetchTimeout(timeoutMs: number): HeadwaterError {
  return new HeadwaterError({
    ...{ code: DEADLINE_EXCEEDED, reason: "HW_FETCH_TIMEOUT" },
    message: `There was no complete answer within ${timeoutMs} ms.`,
    action: "Try again later, or allow more time.",
  });
}

/** What undici threw, as a HeadwaterError. It wraps what happened in a TypeError. */
export function fromFetch(thrown: unknown, host: string): HeadwaterError {
  const causes = causesOf(thrown);
  const ours = causes.find((cause) => cause instanceof HeadwaterError);
  if (ours) return ours;
  const codes = causes.flatMap((cause) => (cause instanceof Error && "code" in cause ? [cause.code] : []));
  if (codes.includes("ENOTFOUND")) {
    return new HeadwaterError({
      ...{ code: NOT_FOUND, reason: "HW_HOST_UNKNOWN", cause: thrown },
      message: `There is no host ${host}.`,
      action: "Check the address.",
    });
  }
  return new HeadwaterError({
    ...{ code: UNAVAILABLE, reason: "HW_FETCH_FAILED", cause: thrown },
    message: `${host} gave no answer, or a broken one${codes.length === 0 ? "" : ` (${codes.join(", ")})`}.`,
    action: "Try again later.",
  });
}

function causesOf(thrown: unknown): unknown[] {
  const causes: unknown[] = [];
  for (let cause = thrown; cause !== undefined && causes.length < 8; ) {
    causes.push(cause);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return causes;
}
