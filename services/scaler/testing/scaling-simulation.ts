import { FadingRate } from "@headwater/load";
import type { LaneTokens, WatchLoadResponse } from "@headwater/proto/services/headwater/v1/load";
import { SeededRandom } from "@headwater/testing/seeded-random";
import type { FleetView } from "../fleet.ts";
import type { AutoscalerSettings } from "./autoscaler-model.ts";
import { AutoscalerModel } from "./autoscaler-model.ts";
import { caller, fleet, worker } from "./reports.ts";

/** Seconds of one step. */
const stepS = 0.05;
/** Of the worker's own rate; see its scheduler. */
const rateConstantMs = 15_000;

export interface Scenario {
  readonly seconds: number;
  /** Searches a second at a time; each has a query embedded and its hits reranked. */
  readonly searches: (second: number) => number;
  /** Tokens of a search. */
  readonly searchTokens: number;
  /** Tokens of passages that come a second at a time. */
  readonly passages: (second: number) => number;
  /** Tokens that ingest has under way at the workers, at most. */
  readonly ingestWindow: number;
  /** Tokens a second of one pod. */
  readonly capacity: number;
  /** From the decision to the first call. */
  readonly startS: number;
  readonly autoscaler: AutoscalerSettings;
  readonly target: number;
  readonly work: (workers: FleetView, callers: readonly FleetView[]) => number;
}

export interface Course {
  /** Seconds from search to answer, sorted. */
  readonly latencies: readonly number[];
  /** Replicas at each decision. */
  readonly replicas: readonly number[];
  /** How often replicas went down and up again, or up and down. */
  readonly turns: number;
  readonly podSeconds: number;
  /** Tokens of passages that were not done at the end. */
  readonly backlog: number;
}

interface SimulatedPod {
  readonly from: number;
  readonly rates: Readonly<Record<keyof LaneTokens, FadingRate>>;
  readonly searches: { readonly came: number; tokens: number }[];
  passages: number;
}

/** Workers that are scaled by a metric, minute by minute, in no time. The same for the same scenario. */
export function simulate(scenario: Scenario): Course {
  const { seconds, capacity, startS, searchTokens, ingestWindow, target } = scenario;
  const random = new SeededRandom(20_26);
  const autoscaler = new AutoscalerModel(scenario.autoscaler);
  let now = 0;
  const clock = () => now * 1000;
  const startPod = (from: number): SimulatedPod => ({
    from,
    rates: { urgent: new FadingRate(rateConstantMs, clock), passages: new FadingRate(rateConstantMs, clock) },
    searches: [],
    passages: 0,
  });
  let pods = Array.from({ length: scenario.autoscaler.minReplicas }, () => startPod(0));
  const latencies: number[] = [];
  const replicas: number[] = [];
  let [backlog, podSeconds, turn, decideAt] = [0, 0, 0, 0];

  for (let step = 0; step * stepS < seconds; step += 1) {
    now = step * stepS;
    const ready = pods.filter(({ from }) => from <= now);
    // Searches come by chance, and go to the pods in turn.
    for (let left = scenario.searches(now) * stepS; left > 0; left -= 1) {
      if (random.next() < left)
        ready[turn++ % ready.length]?.searches.push({ came: now, tokens: searchTokens });
    }
    backlog += scenario.passages(now) * stepS;
    const underWay = ready.reduce((sum, pod) => sum + pod.passages, 0);
    const sent = Math.min(backlog, Math.max(0, ingestWindow - underWay));
    backlog -= sent;
    for (const pod of ready) pod.passages += sent / ready.length;
    for (const pod of ready) work(pod, now, latencies);
    podSeconds += pods.length * stepS;

    if (now >= decideAt) {
      decideAt += scenario.autoscaler.everyS;
      const left = backlog > 0 ? Math.min(backlog, ingestWindow) : 0;
      const asking = ready.reduce((sum, pod) => sum + pod.passages, left);
      const value = scenario.work(fleet(ready.map(report)), [fleet([caller({ passages: asking })])]);
      const wanted = autoscaler.decide(now, pods.length, value, target);
      replicas.push(wanted);
      while (pods.length < wanted) pods.push(startPod(now + startS));
      const gone = pods.slice(wanted);
      pods = pods.slice(0, wanted);
      // Those that drain hand their work back: searches go elsewhere, passages are sent again.
      for (const pod of gone) {
        backlog += pod.passages;
        for (const search of pod.searches) pods[turn++ % pods.length]?.searches.push(search);
      }
    }
  }
  const left = pods.reduce((sum, pod) => sum + pod.passages, backlog);
  return {
    latencies: latencies.sort((a, b) => a - b),
    replicas,
    turns: turnsOf(replicas),
    podSeconds,
    backlog: left,
  };

  function work(pod: SimulatedPod, at: number, ended: number[]): void {
    let able = capacity * stepS;
    for (let first = pod.searches[0]; first && able > 0; first = pod.searches[0]) {
      const done = Math.min(first.tokens, able);
      first.tokens -= done;
      able -= done;
      pod.rates.urgent.count(done);
      if (first.tokens > 0) break;
      ended.push(at + stepS - first.came);
      pod.searches.shift();
    }
    const done = Math.min(pod.passages, able);
    pod.passages -= done;
    pod.rates.passages.count(done);
  }

  function report(pod: SimulatedPod): WatchLoadResponse {
    return worker({
      capacity,
      queued: { urgent: pod.searches.reduce((sum, { tokens }) => sum + tokens, 0), passages: pod.passages },
      rate: { urgent: pod.rates.urgent.perSecond, passages: pod.rates.passages.perSecond },
    });
  }
}

function turnsOf(replicas: readonly number[]): number {
  const steps = replicas
    .map((count, at) => Math.sign(count - (replicas[at - 1] ?? count)))
    .filter((sign) => sign !== 0);
  return steps.filter((sign, at) => at > 0 && sign !== steps[at - 1]).length;
}

export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
