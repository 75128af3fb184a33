import type { ParsingWorker } from "./parsing-worker.ts";
import { cancelled, processorBusy, processorClosed } from "./processor-errors.ts";

interface Waiting {
  /** Gives the turn; undefined: the queue is closed. */
  readonly start: (worker: ParsingWorker | undefined) => void;
}

/** Gives each worker one document at a time, first come, first served. The number of those that wait is bounded. */
export class WorkerQueue {
  readonly #workers: readonly ParsingWorker[];
  readonly #idle: ParsingWorker[];
  readonly #waiting = new Set<Waiting>();
  readonly #maxWaiting: number;
  #closed = false;

  constructor(workers: readonly ParsingWorker[], maxWaiting: number) {
    this.#workers = workers;
    this.#idle = [...workers];
    this.#maxWaiting = maxWaiting;
  }

  async run<T>(work: (worker: ParsingWorker) => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#closed) throw processorClosed();
    if (signal.aborted) throw cancelled();
    const worker = this.#idle.pop() ?? (await this.#wait(signal));
    try {
      return await work(worker);
    } finally {
      this.#giveBack(worker);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const waiting of this.#waiting) waiting.start(undefined);
    this.#waiting.clear();
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }

  #wait(signal: AbortSignal): Promise<ParsingWorker> {
    if (this.#waiting.size >= this.#maxWaiting) throw processorBusy();
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(waiting);
        reject(cancelled());
      };
      const waiting: Waiting = {
        start: (worker) => {
          signal.removeEventListener("abort", leave);
          if (worker === undefined) reject(processorClosed());
          else resolve(worker);
        },
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.add(waiting);
    });
  }

  #giveBack(worker: ParsingWorker): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#idle.push(worker);
      return;
    }
    this.#waiting.delete(next);
    next.start(worker);
  }
}
