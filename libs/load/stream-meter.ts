import type { StreamLoad } from "@headwater/proto/services/headwater/v1/load";
import { FadingMean } from "./fading-mean.ts";
import type { Clock } from "./fading-rate.ts";
import { LatencyWindow } from "./latency-window.ts";
import { roundLoad } from "./round-load.ts";

/** Short enough to be there before latency has grown, long enough for calls that take a few milliseconds. */
const meanConstantMs = 5000;

const quantile = 0.95;

/** Counts the calls of a process that are being answered, and how soon. */
export class StreamMeter {
  readonly #clock: Clock;
  readonly #mean: FadingMean;
  readonly #latency: LatencyWindow;
  #inFlight = 0;
  #lastBusyAt: number;

  constructor(clock: Clock = () => performance.now()) {
    this.#clock = clock;
    this.#mean = new FadingMean(meanConstantMs, clock);
    this.#latency = new LatencyWindow(clock);
    this.#lastBusyAt = clock();
  }

  /** A call has come, though it may have to wait for its turn. The function that comes back ends it. */
  enter(): () => void {
    this.#set(this.#inFlight + 1);
    let left = false;
    return () => {
      if (!left) this.#set(this.#inFlight - 1);
      left = true;
    };
  }

  /** A call was answered, or has begun to be, so many seconds after it came. */
  answered(seconds: number): void {
    this.#latency.observe(seconds);
  }

  /** When there was a call last, by the clock. */
  get lastBusyAt(): number {
    return this.#inFlight > 0 ? this.#clock() : this.#lastBusyAt;
  }

  get load(): StreamLoad {
    return {
      inFlight: this.#inFlight,
      meanInFlight: roundLoad(this.#mean.mean),
      latencySeconds: this.#latency.quantile(quantile),
      latencySamples: this.#latency.samples,
    };
  }

  #set(inFlight: number): void {
    this.#lastBusyAt = this.#clock();
    this.#inFlight = inFlight;
    this.#mean.set(inFlight);
  }
}
