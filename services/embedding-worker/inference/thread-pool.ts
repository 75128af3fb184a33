import { Worker } from "node:worker_threads";
import { HeadwaterError, status } from "@headwater/errors";
import { modelError } from "../model/model-folder.ts";
import type { Done, Job, JobMessage, JobOf, ThreadMessage, ThreadModels } from "./job.ts";

/** Runs jobs; what the scheduler sees of the threads. */
export interface Engine {
  /** True where a job handed over now would run next or after the one under way. */
  accepts(urgent: boolean): boolean;
  /** @throws HeadwaterError INTERNAL HW_INFERENCE_FAILED, UNAVAILABLE HW_INFERENCE_THREAD_LOST */
  run<Kind extends Job["kind"]>(job: JobOf<Kind>, urgent: boolean): Promise<Done<Kind>>;
  /** Tells one listener of each job that has ended, whoever handed it over: what waits for room may go on then. */
  onRoom(listener: () => void): void;
}

/**
 * One runs and the others wait, so that a thread does not idle while the event loop is busy elsewhere: it may stand still
 * for 100 ms where it shares a process with ingest, and a job of passages may take 40. Of urgent jobs fewer, as each is
 * behind those before it.
 */
const jobsPerThread = { urgent: 2, all: 4 };

const restartDelayMs = 1000;

interface Pending {
  readonly urgent: boolean;
  resolve(done: Done<Job["kind"]>): void;
  reject(error: HeadwaterError): void;
}

/** Threads with one copy of the models each. A thread that dies is started again. */
export class ThreadPool implements Engine {
  readonly #models: ThreadModels;
  readonly #onLost: (error: HeadwaterError) => void;
  readonly #script: URL;
  readonly #threads: InferenceThread[] = [];
  readonly #restarts = new Set<NodeJS.Timeout>();
  #closed = false;
  #roomListener = () => {};

  private constructor(models: ThreadModels, onLost: (error: HeadwaterError) => void, script: URL) {
    this.#models = models;
    this.#onLost = onLost;
    this.#script = script;
  }

  /**
   * @param onLost told of a thread that died; it is started again after a second
   * @param script body of a thread; tests have others
   * @throws HeadwaterError FAILED_PRECONDITION, HW_MODEL_INVALID where a model cannot be loaded
   */
  static async start(
    models: ThreadModels,
    count: number,
    onLost: (error: HeadwaterError) => void,
    script = new URL("./thread.ts", import.meta.url),
  ): Promise<ThreadPool> {
    const pool = new ThreadPool(models, onLost, script);
    const started = await Promise.allSettled(Array.from({ length: count }, () => pool.#add()));
    const failed = started.find((result) => result.status === "rejected");
    if (failed) {
      await pool.close();
      throw HeadwaterError.from(failed.reason);
    }
    return pool;
  }

  get size(): number {
    return this.#threads.length;
  }

  accepts(urgent: boolean): boolean {
    return this.#threads.some((thread) => thread.accepts(urgent));
  }

  run<Kind extends Job["kind"]>(job: JobOf<Kind>, urgent: boolean): Promise<Done<Kind>> {
    const [first, ...others] = this.#threads;
    if (!first) return Promise.reject(lost());
    const idlest = others.reduce((best, thread) => (thread.load < best.load ? thread : best), first);
    return idlest.run(job, urgent);
  }

  onRoom(listener: () => void): void {
    this.#roomListener = listener;
  }

  /** The same job once in each thread. */
  async runInEach<Kind extends Job["kind"]>(job: JobOf<Kind>): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.run(job, false)));
  }

  /** Ends the threads; jobs under way fail with HW_INFERENCE_THREAD_LOST. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#restarts) clearTimeout(timer);
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  async #add(): Promise<void> {
    const thread = await InferenceThread.start(this.#models, this.#script);
    if (this.#closed) return thread.close();
    thread.onRoom = () => this.#roomListener();
    this.#threads.push(thread);
    this.#roomListener();
    void thread.ended.then((error) => {
      this.#threads.splice(this.#threads.indexOf(thread), 1);
      if (this.#closed) return;
      this.#onLost(error);
      this.#restartLater();
    });
  }

  #restartLater(): void {
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      this.#add().catch((thrown: unknown) => {
        this.#onLost(HeadwaterError.from(thrown));
        if (!this.#closed) this.#restartLater();
      });
    }, restartDelayMs);
    this.#restarts.add(timer);
  }
}

class InferenceThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  /** Resolves when the thread is gone. */
  readonly ended: Promise<HeadwaterError>;
  onRoom = () => {};
  #lastId = 0;

  private constructor(worker: Worker) {
    this.#worker = worker;
    let cause: unknown;
    worker.on("error", (error) => {
      cause = error;
    });
    worker.on("message", (message: ThreadMessage) => this.#receive(message));
    this.ended = new Promise((resolve) => {
      worker.once("exit", () => {
        const error = lost(cause);
        for (const { reject } of this.#pending.values()) reject(error);
        this.#pending.clear();
        resolve(error);
      });
    });
  }

  static async start(models: ThreadModels, script: URL): Promise<InferenceThread> {
    const worker = new Worker(script, { workerData: models });
    const thread = new InferenceThread(worker);
    const first = new Promise<ThreadMessage>((resolve) => worker.once("message", resolve));
    const message = await Promise.race([first, thread.ended]);
    if (message instanceof HeadwaterError) throw message;
    if (message.kind !== "ready") {
      await thread.close();
      const why = message.kind === "refused" ? message.message : "no reason was given";
      throw modelError("HW_MODEL_INVALID", `The model cannot be loaded: ${why}`);
    }
    return thread;
  }

  get load(): number {
    return this.#pending.size;
  }

  accepts(urgent: boolean): boolean {
    if (!urgent) return this.load < jobsPerThread.all;
    return [...this.#pending.values()].filter((job) => job.urgent).length < jobsPerThread.urgent;
  }

  run<Kind extends Job["kind"]>(job: JobOf<Kind>, urgent: boolean): Promise<Done<Kind>> {
    this.#lastId += 1;
    const message: JobMessage = { id: this.#lastId, urgent, job };
    return new Promise((resolve, reject) => {
      // The thread answers a job with the outputs of its kind.
      this.#pending.set(message.id, { urgent, resolve: resolve as Pending["resolve"], reject });
      this.#worker.postMessage(message);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #receive(message: ThreadMessage): void {
    if (message.kind !== "done" && message.kind !== "failed") return;
    const job = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.kind === "done") job?.resolve(message.done);
    else job?.reject(inferenceFailed(message.message));
    this.onRoom();
  }
}

function inferenceFailed(message: string): HeadwaterError {
  return new HeadwaterError({
    code: status.INTERNAL,
    reason: "HW_INFERENCE_FAILED",
    message: "The model failed on a text.",
    action: "Look for the cause in the log of the embedding-worker.",
    cause: new Error(message),
  });
}

function lost(cause?: unknown): HeadwaterError {
  return new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_INFERENCE_THREAD_LOST",
    message: "A thread that runs the model has ended.",
    action: "Try again; the thread is started anew.",
    retryAfterMs: restartDelayMs,
    cause,
  });
}
