import type { Clock } from "./fading-rate.ts";

/** Mean over time of a number that goes up and down, in which what was long ago has faded. */
export class FadingMean {
  readonly #constantMs: number;
  readonly #clock: Clock;
  #mean = 0;
  #value = 0;
  #at: number;

  /** @param constantMs so long after a change the mean has gone 63 % of the way */
  constructor(constantMs: number, clock: Clock = () => performance.now()) {
    this.#constantMs = constantMs;
    this.#clock = clock;
    this.#at = clock();
  }

  set(value: number): void {
    this.#follow();
    this.#value = value;
  }

  get mean(): number {
    this.#follow();
    return this.#mean;
  }

  #follow(): void {
    const now = this.#clock();
    this.#mean = this.#value + (this.#mean - this.#value) * Math.exp((this.#at - now) / this.#constantMs);
    this.#at = now;
  }
}
