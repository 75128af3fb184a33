/**
 * Versions for documents that come without one: unix milliseconds, and never the same twice in this process, so that
 * of two pushes within one millisecond the later has the higher version.
 */
export class VersionClock {
  #last = 0;

  next(): number {
    this.#last = Math.max(Date.now(), this.#last + 1);
    return this.#last;
  }
}
