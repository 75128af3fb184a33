import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

export { Counter, Gauge, Histogram, Registry } from "prom-client";

/** Seconds. From half a millisecond (a cached search) to a minute (a long answer). */
export const durationBuckets = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

/** Codes of errors that alerts look for: a series that begins with its first error hides that one from `rate`. */
const serverFaults = ["INTERNAL", "UNKNOWN", "UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"];

/** The metrics that dashboards may rely on; each service that answers queries has them, zero from the start. */
export interface QueryMetrics {
  readonly queries: Counter<"kind">;
  readonly duration: Histogram<"kind">;
  readonly active: Gauge<"kind">;
  readonly errors: Counter<"kind" | "code">;
  readonly cacheHits: Counter<"cache">;
  readonly cacheMisses: Counter<"cache">;
}

/**
 * A registry of its own for each service, so that five services in one process do not collide. Process metrics
 * (memory, event loop) are only in the registry that asks for them, once a process.
 */
export function createRegistry(service: string, options: { processMetrics?: boolean } = {}): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  if (options.processMetrics) collectDefaultMetrics({ register: registry });
  return registry;
}

/**
 * @param kinds values of the label `kind`, such as "search"; each series exists, at zero, before the first request
 * @param caches values of the label `cache`, likewise
 */
export function createQueryMetrics(
  registry: Registry,
  kinds: readonly string[],
  caches: readonly string[] = [],
): QueryMetrics {
  const registers = [registry];
  const metrics: QueryMetrics = {
    queries: new Counter({
      name: "rag_queries_total",
      help: "Queries received",
      labelNames: ["kind"],
      registers,
    }),
    duration: new Histogram({
      name: "rag_query_duration_seconds",
      help: "From request to the last message",
      labelNames: ["kind"],
      buckets: durationBuckets,
      registers,
    }),
    active: new Gauge({
      name: "rag_active_requests",
      help: "Queries being answered now",
      labelNames: ["kind"],
      registers,
    }),
    errors: new Counter({
      name: "rag_errors_total",
      help: "Queries that ended with an error, by gRPC code",
      labelNames: ["kind", "code"],
      registers,
    }),
    cacheHits: new Counter({
      name: "rag_cache_hits_total",
      help: "Found in a cache",
      labelNames: ["cache"],
      registers,
    }),
    cacheMisses: new Counter({
      name: "rag_cache_misses_total",
      help: "Not found in a cache",
      labelNames: ["cache"],
      registers,
    }),
  };
  for (const kind of kinds) {
    metrics.queries.inc({ kind }, 0);
    metrics.active.set({ kind }, 0);
    for (const code of serverFaults) metrics.errors.inc({ kind, code }, 0);
    metrics.duration.zero({ kind });
  }
  for (const cache of caches) {
    metrics.cacheHits.inc({ cache }, 0);
    metrics.cacheMisses.inc({ cache }, 0);
  }
  return metrics;
}
