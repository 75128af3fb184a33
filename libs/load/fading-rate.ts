/** Milliseconds by a clock that only goes forward. */
export type Clock = () => number;

/** One batch in the first moment is no rate yet. */
const leastAgeMs = 1000;

/**
 * How much happened a second, lately: what was counted fades by the time constant, so that nothing has to be kept but
 * one number. A process that is younger than that is not taken for an idle one.
 */
export class FadingRate {
  readonly #constantMs: number;
  readonly #clock: Clock;
  readonly #since: number;
  #sum = 0;
  #at: number;

  /** @param constantMs after so many milliseconds a count has a weight of 37 %, after three times as many 5 % */
  constructor(constantMs: number, clock: Clock = () => performance.now()) {
    this.#constantMs = constantMs;
    this.#clock = clock;
    this.#since = clock();
    this.#at = this.#since;
  }

  count(amount: number): void {
    this.#fade();
    this.#sum += amount;
  }

  get perSecond(): number {
    const now = this.#fade();
    // Of what happens steadily, so much would have been kept since the start.
    const kept = 1 - Math.exp(-Math.max(now - this.#since, leastAgeMs) / this.#constantMs);
    return (this.#sum / (this.#constantMs * kept)) * 1000;
  }

  #fade(): number {
    const now = this.#clock();
    this.#sum *= Math.exp((this.#at - now) / this.#constantMs);
    this.#at = now;
    return now;
  }
}
