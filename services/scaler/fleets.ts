import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import { embeddingWork, waitingTokens } from "./embedding-work.ts";
import type { Fleet, FleetView } from "./fleet.ts";
import type { FollowedService, Workload } from "./followed-service.ts";
import { callers } from "./followed-service.ts";
import { connectionWork, streamWork } from "./stream-work.ts";
import type { Trigger } from "./trigger.ts";

/** The pods of all services that are followed, and what KEDA wants to know of them. */
export class Fleets {
  readonly #fleets: ReadonlyMap<FollowedService, Fleet>;
  readonly #holdMs: number;
  readonly #usualCapacity: number;

  constructor(
    fleets: ReadonlyMap<FollowedService, Fleet>,
    options: { readonly holdMs: number; readonly usualCapacity: number },
  ) {
    this.#fleets = fleets;
    this.#holdMs = options.holdMs;
    this.#usualCapacity = options.usualCapacity;
  }

  /** @throws HeadwaterError UNAVAILABLE, HW_SCALER_STARTING until each of the pods was heard or had the time to be */
  checkSettled(): void {
    for (const service of this.#fleets.keys()) this.#settled(service);
  }

  /** @throws HeadwaterError INVALID_ARGUMENT, HW_TRIGGER_INVALID where the workload is not followed */
  checkFollowed(workload: Workload): void {
    if (this.#fleets.has(workload)) return;
    throw invalidArgument(
      "HW_TRIGGER_INVALID",
      `The scaler does not follow ${workload}.`,
      "Give the scaler its address, see docs/settings.md.",
    );
  }

  /** In the unit of the workload's metric, of all pods together. @throws HeadwaterError HW_SCALER_STARTING */
  work({ workload, target, latencySeconds }: Trigger): number {
    const fleet = this.#view(workload);
    switch (workload) {
      case "embedding-worker":
        return embeddingWork(fleet, this.#asking(), target, this.#usualCapacity);
      case "search":
      case "generation":
        return streamWork(fleet, target, latencySeconds);
      case "gateway":
        return connectionWork(fleet, target);
    }
  }

  /** Whether a pod is needed at all. @throws HeadwaterError HW_SCALER_STARTING */
  isActive(workload: Workload): boolean {
    const { reporting, lost, unheard } = this.#view(workload);
    // Who is not heard may have work.
    if (unheard + lost.length > 0) return true;
    if (reporting.some(({ idleMs }) => idleMs < Math.max(1, this.#holdMs))) return true;
    return workload === "embedding-worker" && waitingTokens(this.#asking()) > 0;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#fleets.values()].map((fleet) => fleet.close()));
  }

  #asking(): FleetView[] {
    return callers.filter((service) => this.#fleets.has(service)).map((service) => this.#view(service));
  }

  #view(service: FollowedService): FleetView {
    return this.#settled(service).view;
  }

  #settled(service: FollowedService): Fleet {
    const fleet = this.#fleets.get(service);
    if (fleet?.settled) return fleet;
    throw new HeadwaterError({
      code: status.UNAVAILABLE,
      reason: "HW_SCALER_STARTING",
      message: `It is not known yet which pods ${service} has.`,
      action: `Wait some seconds; if it stays so, check that the name of the address of ${service} can be resolved.`,
    });
  }
}
