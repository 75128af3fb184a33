import { randomUUID } from "node:crypto";
import { codeOf, HeadwaterError, status, statusName } from "@headwater/errors";
import type { Telemetry } from "@headwater/telemetry";
import { Counter, durationBuckets, generateInRequestContext, Histogram } from "@headwater/telemetry";
import type { ServerMiddleware } from "nice-grpc-common";
import { serverDraining } from "./draining.ts";
import { toServerError } from "./error-mapping.ts";

/** What a handler gets beside nice-grpc's own context. */
export interface RpcContext {
  /** Call it in a stream that would never end by itself: its signal then also fires when the server drains. */
  abortOnTerminate(): void;
  /** Fires when the server drains, for streams that choose themselves where they end: see `untilDraining`. */
  readonly draining: AbortSignal;
}

/** Metadata key of the request id, in and out. */
export const requestIdKey = "x-request-id";

/** Request id for the logs, one access line and one observation a call, and errors in their wire form. */
export function callMiddleware(telemetry: Telemetry): ServerMiddleware {
  const registers = [telemetry.metrics];
  const calls = new Counter({
    name: "headwater_rpc_calls_total",
    help: "gRPC calls that ended, by status",
    labelNames: ["method", "code"],
    registers,
  });
  const seconds = new Histogram({
    name: "headwater_rpc_duration_seconds",
    help: "gRPC calls, from request to status",
    labelNames: ["method"],
    buckets: durationBuckets,
    registers,
  });

  return async function* observeCall(call, context) {
    const started = performance.now();
    const method = call.method.path;
    const quiet = method.startsWith("/grpc.");
    const requestId = context.metadata.get(requestIdKey) ?? randomUUID();
    context.header.set(requestIdKey, requestId);
    let code: number = status.OK;
    let failure: HeadwaterError | undefined;
    try {
      return yield* generateInRequestContext(
        { requestId },
        call.next(call.request, context) as AsyncGenerator<never, never, undefined>,
      );
    } catch (thrown) {
      if (context.signal.aborted) {
        code = status.CANCELLED;
        // Nobody hears it any more; in its wire form nice-grpc does not warn of it either.
        throw thrown instanceof HeadwaterError ? toServerError(thrown) : thrown;
      }
      const error = toServerError(thrown);
      code = error.code;
      failure = HeadwaterError.from(thrown);
      throw error;
    } finally {
      if (!quiet) {
        const elapsed = performance.now() - started;
        const name = statusName(codeOf(code));
        calls.inc({ method, code: name });
        seconds.observe({ method }, elapsed / 1000);
        const fields = {
          request_id: requestId,
          method,
          code: name,
          duration_ms: Math.round(elapsed * 10) / 10,
        };
        if (code === status.INTERNAL || code === status.UNKNOWN)
          telemetry.log.error({ ...fields, err: failure }, "call failed");
        else telemetry.log.debug({ ...fields, ...(failure ? { reason: failure.reason } : {}) }, "call");
      }
    }
  };
}

/** Lets endless streams end when `draining` fires, so that a graceful shutdown does not wait for them. */
export function terminateMiddleware(draining: AbortSignal): ServerMiddleware<RpcContext> {
  return async function* terminate(call, context) {
    const ending = new AbortController();
    let listens = false;
    const end = () => ending.abort();
    const signal = AbortSignal.any([context.signal, ending.signal]);
    try {
      return yield* call.next(call.request, {
        ...context,
        signal,
        draining,
        sendHeader: () => context.sendHeader(),
        abortOnTerminate() {
          if (draining.aborted) end();
          else if (!listens) draining.addEventListener("abort", end, { once: true });
          listens = true;
        },
      });
    } catch (thrown) {
      if (draining.aborted && ending.signal.aborted && !context.signal.aborted) {
        throw serverDraining(thrown);
      }
      throw thrown;
    } finally {
      draining.removeEventListener("abort", end);
    }
  };
}
