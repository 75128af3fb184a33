/**
 * Wakes those who wait for something new in the log: at once when this process wrote, and within `pollInterval` when
 * another one did, where there is a version to read. Polls only while somebody waits.
 */
export class Wakeups {
  readonly #readVersion: (() => unknown) | undefined;
  readonly #pollInterval: number;
  readonly #waiting = new Set<() => void>();
  #count = 0;
  #lastVersion: unknown;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param readVersion cheap; changes when another process has written
   * @param pollInterval milliseconds
   */
  constructor(readVersion?: () => unknown, pollInterval = 50) {
    this.#readVersion = readVersion;
    this.#pollInterval = pollInterval;
    this.#lastVersion = readVersion?.();
  }

  /** How often anybody was woken; take it before looking for something new, and give it to `wait`. */
  get count(): number {
    return this.#count;
  }

  wakeAll(): void {
    this.#count += 1;
    for (const wake of [...this.#waiting]) wake();
  }

  /**
   * Resolves when something may be new since `count` was `seen`, or when a signal fires (which the caller then
   * checks).
   */
  async wait(seen: number, ...signals: readonly AbortSignal[]): Promise<void> {
    if (seen !== this.#count || signals.some((signal) => signal.aborted)) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        for (const signal of signals) signal.removeEventListener("abort", wake);
        if (this.#waiting.size === 0) this.#stopPolling();
        resolve();
      };
      this.#waiting.add(wake);
      for (const signal of signals) signal.addEventListener("abort", wake);
      const readVersion = this.#readVersion;
      if (readVersion) this.#timer ??= setInterval(() => this.#poll(readVersion), this.#pollInterval);
    });
  }

  #poll(readVersion: () => unknown): void {
    let version: unknown;
    try {
      version = readVersion();
    } catch {
      // Whoever waits reads the log next, meets the same error, and can give it to its caller.
      this.wakeAll();
      return;
    }
    if (version === this.#lastVersion) return;
    this.#lastVersion = version;
    this.wakeAll();
  }

  #stopPolling(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
