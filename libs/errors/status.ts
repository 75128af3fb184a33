/** gRPC status codes (https://grpc.io/docs/guides/status-codes), by name. */
export const status = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type Code = (typeof status)[keyof typeof status];

const httpByCode: Readonly<Record<Code, number>> = {
  [status.OK]: 200,
  [status.CANCELLED]: 499,
  [status.UNKNOWN]: 500,
  [status.INVALID_ARGUMENT]: 400,
  [status.DEADLINE_EXCEEDED]: 504,
  [status.NOT_FOUND]: 404,
  [status.ALREADY_EXISTS]: 409,
  [status.PERMISSION_DENIED]: 403,
  [status.RESOURCE_EXHAUSTED]: 503,
  [status.FAILED_PRECONDITION]: 409,
  [status.ABORTED]: 409,
  [status.OUT_OF_RANGE]: 400,
  [status.UNIMPLEMENTED]: 501,
  [status.INTERNAL]: 500,
  [status.UNAVAILABLE]: 503,
  [status.DATA_LOSS]: 500,
  [status.UNAUTHENTICATED]: 401,
};

/**
 * HTTP status of a gRPC code. Overload is 503 rather than 429: no one caller is at fault. A caller's own rate limit
 * is answered with 429 by the gateway, before any gRPC call.
 */
export function httpStatus(code: Code): number {
  return httpByCode[code];
}

/** Name of a code, such as "NOT_FOUND"; for logs and metrics. */
export function statusName(code: Code): string {
  for (const [name, value] of Object.entries(status)) if (value === code) return name;
  return "UNKNOWN";
}

/** A number from the wire as a code; UNKNOWN where it is none. */
export function codeOf(value: number): Code {
  return value in httpByCode ? (value as Code) : status.UNKNOWN;
}
