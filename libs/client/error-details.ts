import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { Code } from "@connectrpc/connect";
import { ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema, RetryInfoSchema } from "./gen/google/rpc/error_details_pb.ts";

/** What a Headwater error tells its caller. */
export interface ErrorFields {
  /** gRPC status code. */
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly action: string;
  readonly retryAfterMs?: number | undefined;
}

/** The reason that a server gave; undefined where the call failed without one, as when its connection was lost. */
export function reasonGiven(error: ConnectError): string | undefined {
  return error.findDetails(ErrorInfoSchema)[0]?.reason;
}

/** For servers: an error as Connect sends it, with reason, action and retry hint as google.rpc details. */
export function toConnectError(error: ErrorFields): ConnectError {
  const info = {
    desc: ErrorInfoSchema,
    value: {
      reason: error.reason,
      domain: "headwater.dev",
      metadata: error.action === "" ? {} : { action: error.action },
    },
  };
  const retry =
    error.retryAfterMs === undefined
      ? []
      : [{ desc: RetryInfoSchema, value: { retryDelay: durationFromMs(Math.round(error.retryAfterMs)) } }];
  return new ConnectError(error.message, error.code as Code, undefined, [info, ...retry]);
}
