import { statusName } from "@headwater/errors";
import type { Registry } from "@headwater/telemetry";
import { createQueryMetrics } from "@headwater/telemetry";
import { toHeadwaterError } from "./http-error.ts";

/** How a query came in; the label `kind` of the `rag_…` metrics. */
export const queryKinds = ["http", "sse", "websocket", "connect", "grpc_web", "grpc", "mcp"] as const;
export type QueryKind = (typeof queryKinds)[number];

/** Passes the events of a search or an answer on, and counts and times it. */
export type ObserveQuery = <T>(
  kind: QueryKind,
  events: AsyncIterable<T>,
) => AsyncGenerator<T, void, undefined>;

export function createQueryObserver(registry: Registry): ObserveQuery {
  const metrics = createQueryMetrics(registry, queryKinds);
  return async function* observe(kind, events) {
    metrics.queries.inc({ kind });
    metrics.active.inc({ kind });
    const ended = metrics.duration.startTimer({ kind });
    try {
      yield* events;
    } catch (thrown) {
      metrics.errors.inc({ kind, code: statusName(toHeadwaterError(thrown).code) });
      throw thrown;
    } finally {
      metrics.active.dec({ kind });
      ended();
    }
  };
}
