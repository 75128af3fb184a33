import type { WatchLoadResponse } from "@headwater/proto/services/headwater/v1/load";
import type { FleetView } from "./fleet.ts";

/**
 * Adds what is owed to pods of which nothing is known now, so that they never are the reason for having fewer:
 * one that was lost counts as full at least; those that were never heard count as full too, but since a pod that
 * starts is one of them, they never ask for more pods than there are.
 *
 * @param known of all pods that ever reported, with their last reports
 * @param of the share of `known` that one report has
 */
export function countUnknownPods(
  known: number,
  { reporting, lost, unheard }: FleetView,
  target: number,
  of: (report: WatchLoadResponse) => number,
): number {
  const held = lost.reduce((sum, report) => sum + Math.max(0, target - of(report)), known);
  const pods = reporting.length + lost.length + unheard;
  return Math.max(held, Math.min(held + unheard * target, pods * target));
}
