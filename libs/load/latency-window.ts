import type { Clock } from "./fading-rate.ts";

/** Seconds of the lowest class; all below count as it. */
const lowest = 0.001;
/** Each class is a tenth longer than the one before: a quantile is wrong by no more than that. */
const ratio = 1.1;
/** Up to 20 minutes. */
const classes = 150;

const slices = 6;
const sliceMs = 10_000;

/** Quantiles of the last minute, of any number of durations, in a fixed amount of memory. */
export class LatencyWindow {
  readonly #clock: Clock;
  /** Of ten seconds each; the last is the present one. */
  #slices: Uint32Array[] = [new Uint32Array(classes)];
  #sliceStart: number;

  constructor(clock: Clock = () => performance.now()) {
    this.#clock = clock;
    this.#sliceStart = clock();
  }

  observe(seconds: number): void {
    this.#turn();
    const index = Math.ceil(Math.log(Math.max(seconds, lowest) / lowest) / Math.log(ratio));
    const slice = this.#slices.at(-1);
    const place = Math.min(index, classes - 1);
    if (slice) slice[place] = (slice[place] ?? 0) + 1;
  }

  get samples(): number {
    this.#turn();
    return this.#slices.reduce((sum, slice) => sum + slice.reduce((all, count) => all + count, 0), 0);
  }

  /** Seconds within which the share ended; 0 where there is nothing. @param share 0 to 1 */
  quantile(share: number): number {
    const wanted = this.samples * share;
    if (wanted === 0) return 0;
    let seen = 0;
    for (let place = 0; place < classes; place += 1) {
      for (const slice of this.#slices) seen += slice[place] ?? 0;
      if (seen >= wanted) return lowest * ratio ** place;
    }
    return lowest * ratio ** classes;
  }

  #turn(): void {
    const passed = Math.floor((this.#clock() - this.#sliceStart) / sliceMs);
    for (let slice = 0; slice < Math.min(passed, slices); slice += 1)
      this.#slices.push(new Uint32Array(classes));
    this.#slices = this.#slices.slice(-slices);
    this.#sliceStart += passed * sliceMs;
  }
}
