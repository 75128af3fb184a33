import type { LaneTokens, ModelLoad, WatchLoadResponse } from "@headwater/proto/services/headwater/v1/load";
import type { FleetView } from "./fleet.ts";
import { countUnknownPods } from "./unknown-pods.ts";

/**
 * How much a token counts. Somebody waits for those that are urgent: a pod is full of them at half of its throughput,
 * where a text waits about as long as it takes. Passages may fill it.
 */
const weights: Readonly<Record<keyof LaneTokens, number>> = { urgent: 2, passages: 1 };
const lanes = ["urgent", "passages"] as const;

/**
 * Seconds of one pod's work, such that `work / target` is the number of pods which do, within `target` seconds, all that waits
 * now and all that comes meanwhile at the present rate.
 *
 * @param asking what the callers of the embedding-worker report; the same tokens are in a worker's queue once they are there
 * @param target seconds
 * @param usualCapacity tokens a second, where no pod has told its own
 */
export function embeddingWork(
  workers: FleetView,
  asking: readonly FleetView[],
  target: number,
  usualCapacity: number,
): number {
  const reports = [...workers.reporting, ...workers.lost];
  const capacities = reports.flatMap(({ model }) => (model && model.capacity > 0 ? [model.capacity] : []));
  const capacity = capacities.length > 0 ? sum(capacities) / capacities.length : usualCapacity;
  const waiting = lanes.map((lane) => {
    const atWorkers = sum(reports.map(({ model }) => tokensIn(model, lane)));
    const atCallers = sum(asking.flatMap(reportsOf).map(({ embedding }) => embedding?.[lane] ?? 0));
    return weights[lane] * Math.max(atWorkers, atCallers);
  });
  const busyPods = sum(reports.map(busyShare));
  const ofOne = (report: WatchLoadResponse) =>
    sum(lanes.map((lane) => weights[lane] * tokensIn(report.model, lane))) / capacity +
    target * busyShare(report);
  return countUnknownPods(sum(waiting) / capacity + target * busyPods, workers, target, ofOne);
}

/** Tokens that callers wait for. */
export function waitingTokens(asking: readonly FleetView[]): number {
  return sum(
    asking
      .flatMap(reportsOf)
      .map(({ embedding }) => (embedding ? sum(lanes.map((lane) => embedding[lane])) : 0)),
  );
}

/** The share of its time that a pod is busy, the weights included. */
function busyShare({ model }: WatchLoadResponse): number {
  if (!model || model.capacity <= 0) return 0;
  return sum(lanes.map((lane) => weights[lane] * (model[lane]?.tokensPerSecond ?? 0))) / model.capacity;
}

function tokensIn(model: ModelLoad | undefined, lane: keyof LaneTokens): number {
  const load = model?.[lane];
  return load ? load.queuedTokens + load.inFlightTokens : 0;
}

function reportsOf({ reporting, lost }: FleetView): WatchLoadResponse[] {
  return [...reporting, ...lost];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
