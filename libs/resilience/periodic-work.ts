export interface PeriodicWorkOptions {
  /** Milliseconds until the first run. */
  readonly firstAfterMs: number;
  /** Milliseconds from the end of a run to the next one. */
  readonly everyMs: number;
  /** Ends early when the signal fires. */
  readonly work: (signal: AbortSignal) => Promise<void>;
  /** Told of a run that failed; the next one tries again. */
  readonly onError: (error: unknown) => void;
}

/** Runs work in the background, now and then, until it is closed. It keeps no process alive. */
export class PeriodicWork {
  readonly #options: PeriodicWorkOptions;
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(options: PeriodicWorkOptions) {
    this.#options = options;
    this.#schedule(options.firstAfterMs);
  }

  /** Waits for what runs. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  #schedule(afterMs: number): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#run();
    }, afterMs).unref();
  }

  async #run(): Promise<void> {
    const { work, onError, everyMs } = this.#options;
    const { signal } = this.#closing;
    try {
      await work(signal);
    } catch (thrown) {
      if (!signal.aborted) onError(thrown);
    }
    if (!signal.aborted) this.#schedule(everyMs);
  }
}
