import type { Registry } from "@headwater/telemetry";
import { Counter, durationBuckets, Gauge, Histogram } from "@headwater/telemetry";

/** What became of a call, retries included: `refused` was not tried, because the circuit breaker was open. */
export const callOutcomes = ["ok", "failed", "refused"] as const;
export type CallOutcome = (typeof callOutcomes)[number];

/** Of a server outside that is called by this process, whoever calls it. */
interface Watched {
  /** As the label `dependency` has it: "elasticsearch". */
  readonly label: string;
  readonly isOpen: boolean;
}

/** Held weakly: a client that was dropped must not be kept, nor told of. */
const watched = new Set<WeakRef<Watched>>();

/** Of the whole process: which service called is told by the process that is scraped. */
const calls = new Counter({
  name: "headwater_dependency_calls_total",
  help: "Calls of servers outside (Kafka, Elasticsearch …), retries included, by what became of them",
  labelNames: ["dependency", "outcome"],
  registers: [],
});
const seconds = new Histogram({
  name: "headwater_dependency_call_duration_seconds",
  help: "One attempt of a call of a server outside",
  labelNames: ["dependency"],
  buckets: durationBuckets,
  registers: [],
});
const retries = new Counter({
  name: "headwater_dependency_retries_total",
  help: "Attempts of such calls after the first",
  labelNames: ["dependency"],
  registers: [],
});
const open = new Gauge({
  name: "headwater_dependency_open",
  help: "1 while the circuit breaker is open: calls fail without being tried",
  labelNames: ["dependency"],
  registers: [],
  collect() {
    this.reset();
    for (const reference of watched) {
      const one = reference.deref();
      if (!one) watched.delete(reference);
      else if (one.isOpen) this.set({ dependency: one.label }, 1);
      else this.inc({ dependency: one.label }, 0);
    }
  },
});

/** Puts the metrics of all dependencies of the process into its registry. */
export function registerDependencyMetrics(registry: Registry): void {
  for (const metric of [calls, seconds, retries, open]) registry.registerMetric(metric);
}

/** Counts calls of one dependency; its series are there from now on, at zero. */
export class DependencyObserver {
  readonly #dependency: string;

  constructor(dependency: Watched) {
    this.#dependency = dependency.label;
    watched.add(new WeakRef(dependency));
    for (const outcome of callOutcomes) calls.inc({ dependency: dependency.label, outcome }, 0);
    retries.inc({ dependency: dependency.label }, 0);
    seconds.zero({ dependency: dependency.label });
  }

  ended(outcome: CallOutcome): void {
    calls.inc({ dependency: this.#dependency, outcome });
  }

  retried(): void {
    retries.inc({ dependency: this.#dependency });
  }

  attempted(elapsedSeconds: number): void {
    seconds.observe({ dependency: this.#dependency }, elapsedSeconds);
  }
}
