import { HeadwaterError } from "@headwater/errors";
import type { ProcessingResult } from "./document-processor.ts";
import type { ParsingJob, ParsingWorker } from "./parsing-worker.ts";
import { cancelled, processorBusy, processorClosed } from "./processor-errors.ts";

type Worker = Pick<ParsingWorker, "process" | "processTogether" | "close">;

interface Waiting extends ParsingJob {
  readonly resolve: (result: ProcessingResult) => void;
  readonly reject: (thrown: unknown) => void;
}

/** What a worker is given at one time; a larger document goes alone. A slow one holds up those that came with it. */
const together = { documents: 16, bytes: 32 * 1024 };

/** Gives documents to workers, first come, first served, small ones together. The number of those that wait is bounded. */
export class WorkerQueue {
  readonly #workers: readonly Worker[];
  readonly #idle: Worker[];
  readonly #waiting = new Set<Waiting>();
  readonly #maxWaiting: number;
  #closed = false;

  constructor(workers: readonly Worker[], maxWaiting: number) {
    this.#workers = workers;
    this.#idle = [...workers];
    this.#maxWaiting = maxWaiting;
  }

  async process(job: ParsingJob): Promise<ProcessingResult> {
    const { signal } = job;
    if (this.#closed) throw processorClosed();
    if (signal.aborted) throw cancelled();
    if (this.#idle.length === 0 && this.#waiting.size >= this.#maxWaiting) throw processorBusy();
    const { promise, resolve, reject } = Promise.withResolvers<ProcessingResult>();
    const waiting = { ...job, resolve, reject };
    const leave = () => {
      this.#waiting.delete(waiting);
      reject(cancelled());
    };
    signal.addEventListener("abort", leave, { once: true });
    this.#waiting.add(waiting);
    this.#serve();
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject } of this.#waiting) reject(processorClosed());
    this.#waiting.clear();
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }

  #serve(): void {
    while (this.#waiting.size > 0) {
      const worker = this.#idle.pop();
      if (!worker) return;
      void this.#work(worker, this.#take()).finally(() => {
        this.#idle.push(worker);
        this.#serve();
      });
    }
  }

  #take(): Waiting[] {
    const taken: Waiting[] = [];
    let bytes = 0;
    for (const waiting of this.#waiting) {
      bytes += waiting.source.content.byteLength;
      if (taken.length > 0 && (bytes > together.bytes || taken.length === together.documents)) break;
      taken.push(waiting);
      this.#waiting.delete(waiting);
    }
    return taken;
  }

  /** Never rejects. */
  async #work(worker: Worker, taken: readonly Waiting[]): Promise<void> {
    try {
      const results = taken.length > 1 ? await worker.processTogether(taken) : undefined;
      if (results === undefined || results instanceof HeadwaterError) await processEach(worker, taken);
      else for (const [place, result] of results.entries()) taken[place]?.resolve(result);
    } catch (thrown) {
      for (const { reject } of taken) reject(thrown);
    }
  }
}

/** One by one, so that it is known whose fault it is when the thread breaks. */
async function processEach(worker: Worker, jobs: readonly Waiting[]): Promise<void> {
  for (const job of jobs) {
    if (job.signal.aborted) continue;
    await worker.process(job).then(job.resolve, job.reject);
  }
}
