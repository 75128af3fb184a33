import type { Meter } from "@headwater/load";
import { roundLoad } from "@headwater/load";
import type { LaneLoad, ModelLoad } from "@headwater/proto/services/headwater/v1/load";
import type { Scheduler } from "./scheduler.ts";
import type { Throughput } from "./throughput.ts";
import type { Lane } from "./work.ts";

/** What the model has to do and what it can, for the scaler. */
export class ModelMeter implements Meter<ModelLoad> {
  readonly #scheduler: Scheduler;
  readonly #throughput: Throughput;

  constructor(scheduler: Scheduler, throughput: Throughput) {
    this.#scheduler = scheduler;
    this.#throughput = throughput;
  }

  get load(): ModelLoad {
    return {
      capacity: Math.round(this.#throughput.tokensPerSecond),
      urgent: this.#laneLoad(["query", "rerank"]),
      passages: this.#laneLoad(["passage"]),
    };
  }

  get lastBusyAt(): number {
    return this.#scheduler.lastBusyAt;
  }

  #laneLoad(lanes: readonly Lane[]): LaneLoad {
    const sum = (of: (lane: Lane) => number) => lanes.reduce((total, lane) => total + of(lane), 0);
    return {
      queuedTokens: sum((lane) => this.#scheduler.queuedIn(lane)),
      inFlightTokens: sum((lane) => this.#scheduler.inFlightOf(lane)),
      tokensPerSecond: roundLoad(sum((lane) => this.#scheduler.rateOf(lane))),
    };
  }
}
