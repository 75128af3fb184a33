import { HeadwaterError, status } from "@headwater/errors";

interface Waiter {
  /** By `performance.now()`. */
  readonly since: number;
  readonly admit: () => void;
  readonly refuse: () => void;
}

/** One of the searches that may run. */
export interface Place {
  /** In line, in milliseconds; 0: it was free. */
  readonly waitedMs: number;
  /** Gives it to the next in line; may be called twice. */
  readonly leave: () => void;
}

/** Who has waited so many times longer than was expected at most is not searched for any more. */
const patience = 2;

export interface AdmissionLimits {
  readonly maxRunning: number;
  readonly maxWaiting: number;
  /**
   * Milliseconds; who would have to wait longer, by the searches before, is refused. Where searches become slower
   * while somebody waits, twice as long is the end.
   */
  readonly maxWaitMs: number;
}

/**
 * Bounds how many searches run, how many wait, and for how long; the rest are refused at once. The number bounds memory.
 * The time keeps a line that moves slowly, as it does while an engine is slow, shorter than that.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #waiting: Waiter[] = [];
  #running = 0;
  /** Moving mean of how long a search holds its place, in milliseconds. */
  #meanMs = 50;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Resolves when there is a place.
   *
   * @throws HeadwaterError RESOURCE_EXHAUSTED, HW_SEARCH_OVERLOADED; the signal's reason when it fires while waiting
   */
  async enter(signal: AbortSignal): Promise<Place> {
    signal.throwIfAborted();
    const { maxRunning, maxWaiting, maxWaitMs } = this.#limits;
    let waitedMs = 0;
    if (this.#running < maxRunning) this.#running += 1;
    else if (this.#waiting.length < maxWaiting && this.#expectedWaitMs <= maxWaitMs)
      waitedMs = await this.#wait(signal);
    else throw this.#overloaded();
    const since = performance.now();
    let left = false;
    const leave = () => {
      if (left) return;
      left = true;
      this.#meanMs += 0.1 * (performance.now() - since - this.#meanMs);
      // The place goes to the next in line as it is, so that nobody can come between.
      const next = this.#nextInTime();
      if (next) next.admit();
      else this.#running -= 1;
    };
    return { waitedMs, leave };
  }

  /** The first in line that has not waited too long; those before it are refused, so that the others are in time. */
  #nextInTime(): Waiter | undefined {
    const oldest = performance.now() - patience * this.#limits.maxWaitMs;
    while (true) {
      const next = this.#waiting.shift();
      if (!next || next.since >= oldest) return next;
      next.refuse();
    }
  }

  /** Of whoever would be the next in line. */
  get #expectedWaitMs(): number {
    return ((this.#waiting.length + 1) / this.#limits.maxRunning) * this.#meanMs;
  }

  /** @returns milliseconds */
  #wait(signal: AbortSignal): Promise<number> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        since: performance.now(),
        admit: () => {
          signal.removeEventListener("abort", leave);
          resolve(performance.now() - waiter.since);
        },
        refuse: () => {
          signal.removeEventListener("abort", leave);
          reject(this.#overloaded());
        },
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.push(waiter);
    });
  }

  #overloaded(): HeadwaterError {
    return new HeadwaterError({
      code: status.RESOURCE_EXHAUSTED,
      reason: "HW_SEARCH_OVERLOADED",
      message: "Too many searches at one time.",
      action: "Try again after the time that the answer names.",
      retryAfterMs: Math.max(50, Math.ceil(this.#expectedWaitMs)),
    });
  }
}
