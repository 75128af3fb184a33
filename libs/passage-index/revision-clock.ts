import { randomInt } from "node:crypto";

/** A revision that the ledger does not name after so long is taken for one whose writer has died. */
export const abandonedAfterMs = 60 * 60_000;

/** 31 bits of seconds from here on last until 2092. */
const epoch = Date.UTC(2024, 0, 1);
/** 22 bits that tell apart writers who begin in the same second. */
const second = 2 ** 22;
/** Part of a second that one step beyond a known revision takes at most. */
const step = 2 ** 16;

/**
 * Numbers attempts at writing documents. A number is made of the time, so that its age can be told, and of a random
 * part; it is above all that were read before, also where clocks differ or go back. Two writers who begin on one document
 * in the same second, before either has written, have the same number in less than one of 60,000 cases; the ledger finds
 * that out, and one of them begins again.
 */
export class RevisionClock {
  readonly #now: () => number;
  readonly #random: (below: number) => number;
  #last = 0;

  /**
   * @param now Unix milliseconds
   * @param random a whole number from 0 on
   */
  constructor(now: () => number = Date.now, random: (below: number) => number = (below) => randomInt(below)) {
    this.#now = now;
    this.#random = random;
  }

  /** @param above the highest number known of the documents at hand; 0: none */
  next(above: number): number {
    const seconds = Math.floor((this.#now() - epoch) / 1000);
    this.#last = Math.max(
      seconds * second + this.#random(second),
      Math.max(this.#last, above) + 1 + this.#random(step),
    );
    return this.#last;
  }

  /** Milliseconds since it was given out, to a second, by this process's clock. */
  age(revision: number): number {
    return this.#now() - epoch - Math.floor(revision / second) * 1000;
  }
}
