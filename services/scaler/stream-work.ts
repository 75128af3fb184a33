import type { WatchLoadResponse } from "@headwater/proto/services/headwater/v1/load";
import type { FleetView } from "./fleet.ts";
import { countUnknownPods } from "./unknown-pods.ts";

/** Slowness may have its cause elsewhere, where more pods help nobody: it asks for no more than twice as many. */
const mostSlowness = 2;

/**
 * Streams that are answered, each counting for more while answers are slow.
 *
 * @param target streams for one pod
 * @param latencySeconds beyond which answers are slow; undefined: never
 */
export function streamWork(fleet: FleetView, target: number, latencySeconds: number | undefined): number {
  const reports = [...fleet.reporting, ...fleet.lost];
  const slowness = latencySeconds === undefined ? 1 : slownessOf(reports, latencySeconds);
  const ofOne = ({ streams }: WatchLoadResponse) => (streams?.meanInFlight ?? 0) * slowness;
  const known = reports.reduce((total, report) => total + ofOne(report), 0);
  return countUnknownPods(known, fleet, target, ofOne);
}

/** By the mean of the pods' quantiles, in which a pod with few calls says little. */
function slownessOf(reports: readonly WatchLoadResponse[], latencySeconds: number): number {
  let [seconds, samples] = [0, 0];
  for (const { streams } of reports) {
    seconds += (streams?.latencySeconds ?? 0) * (streams?.latencySamples ?? 0);
    samples += streams?.latencySamples ?? 0;
  }
  if (samples === 0) return 1;
  return Math.min(mostSlowness, Math.max(1, seconds / samples / latencySeconds));
}

/** Connections that are open. @param target connections for one pod */
export function connectionWork(fleet: FleetView, target: number): number {
  const ofOne = ({ connections }: WatchLoadResponse) => connections?.open ?? 0;
  const known = [...fleet.reporting, ...fleet.lost].reduce((total, report) => total + ofOne(report), 0);
  return countUnknownPods(known, fleet, target, ofOne);
}
