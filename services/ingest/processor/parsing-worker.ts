import { fileURLToPath } from "node:url";
import { HeadwaterError, status } from "@headwater/errors";
import { Piscina } from "piscina";
import type { ChunkingSettings } from "../chunkers/chunking-settings.ts";
import type { DocumentSource, ProcessingResult } from "./document-processor.ts";
import type { ProcessingLimits } from "./processing-limits.ts";
import { cancelled, documentMemory, documentTimeout, processorClosed } from "./processor-errors.ts";
import type { Stage, WorkerReply, WorkerSetup, WorkerTask } from "./worker-message.ts";
import { stages, unpackReply } from "./worker-message.ts";

/** Milliseconds between looks at the memory of a worker. A document that is done sooner is never looked at. */
const watchIntervalMs = 100;
/**
 * Mebibytes of heap above the limit that is watched. V8 ends the process, not the thread, when one allocation does not
 * fit; so the watch has to end the thread long before V8's own limit is near.
 */
const heapReserveMb = 2048;
/** V8 would let it grow with the heap's limit: 100,000 small documents then left each thread with 150 MB of garbage. */
const youngGenerationMb = 24;
const crashReason = "HW_PARSER_CRASHED";
const mebibyte = 1024 * 1024;

export interface ParsingWorkerOptions {
  readonly tokenizerJson: Uint8Array;
  readonly chunking: ChunkingSettings;
  readonly limits: ProcessingLimits;
}

/** A document, and whoever waits for it. */
export interface ParsingJob {
  readonly source: DocumentSource;
  /** Fires when nobody waits any more. */
  readonly signal: AbortSignal;
}

/** A thread that processes one document at a time, or a few small ones, and is replaced when a document breaks it. */
export class ParsingWorker {
  readonly #limits: ProcessingLimits;
  readonly #stage = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  /** Of one thread: then the thread that works on a document is known, and can be watched. */
  readonly #pool: Piscina<readonly WorkerTask[], readonly WorkerReply[]>;
  readonly #closing = new AbortController();
  #ready: Promise<unknown>;

  constructor({ tokenizerJson, chunking, limits }: ParsingWorkerOptions) {
    this.#limits = limits;
    const workerData: WorkerSetup = {
      tokenizerJson: shared(tokenizerJson),
      chunking,
      limits,
      stage: this.#stage,
    };
    this.#pool = new Piscina({
      // A path: an address would be turned into one for each document, at 0.1 ms.
      filename: fileURLToPath(new URL("./worker.ts", import.meta.url)),
      minThreads: 1,
      maxThreads: 1,
      workerData,
      resourceLimits: {
        maxOldGenerationSizeMb: limits.workerMemoryMb + heapReserveMb,
        maxYoungGenerationSizeMb: youngGenerationMb,
      },
    });
    // A thread that cannot load says so twice: to its task, and, as it ends, here. Unheard, that would end the process.
    this.#pool.on("error", (error: unknown) => {
      if (!this.#closing.signal.aborted)
        process.emitWarning(`a parsing thread ended without a document: ${String(error)}`);
    });
    this.#ready = this.#start();
  }

  /** Resolves when the thread is up; rejects where it cannot start. */
  async ready(): Promise<void> {
    try {
      await this.#ready;
    } catch (thrown) {
      this.#ready = this.#start();
      throw thrown;
    }
  }

  /** Rejects where the document is not at fault; see `DocumentProcessor`. */
  async process(job: ParsingJob): Promise<ProcessingResult> {
    let done = await this.processTogether([job]);
    // A crash may be an after-effect of the document before, such as a promise that its parser left behind. In a
    // fresh thread it is known whose fault it is.
    if (done instanceof HeadwaterError && done.reason === crashReason)
      done = await this.processTogether([job]);
    if (done instanceof HeadwaterError) return { ok: false, stage: this.#currentStage(), error: done };
    const [result] = done;
    if (!result) throw new Error("The worker did not reply to a document.");
    return result;
  }

  /**
   * Several documents for one message to the thread and one back, within the time and memory of one document. For
   * small ones: most of what a page of text costs the thread is being woken for it (0.1 ms of processor time instead of
   * 0.3, on two busy cores).
   *
   * @returns one a job, in order; the error where the thread broke over them: then nothing is known of any
   */
  async processTogether(jobs: readonly ParsingJob[]): Promise<readonly ProcessingResult[] | HeadwaterError> {
    await this.ready();
    const stop = new AbortController();
    const { timeoutMs, workerMemoryMb } = this.#limits;
    const isLeft = () => this.#closing.signal.aborted || jobs.every(({ signal }) => signal.aborted);
    // Not AbortSignal.any: it would stay with the signals that outlive the document.
    const leave = () => {
      if (isLeft()) stop.abort();
    };
    const signals = [this.#closing.signal, ...jobs.map(({ signal }) => signal)];
    for (const left of signals) left.addEventListener("abort", leave, { once: true });
    const timer = setTimeout(() => stop.abort(documentTimeout(timeoutMs)), timeoutMs);
    const watch = setInterval(() => {
      void this.#memoryMb().then((used) => {
        if (used > workerMemoryMb) stop.abort(documentMemory(workerMemoryMb));
      });
    }, watchIntervalMs);
    leave();
    Atomics.store(this.#stage, 0, 0);
    try {
      const tasks = jobs.map(({ source: { content, mediaType, name } }) => {
        // Exactly the document's bytes: a view may stand in a larger buffer, which would be copied with it.
        return { content: new Uint8Array(content), mediaType, name };
      });
      const transferList = tasks.map(({ content }) => content.buffer);
      const replies = await this.#pool.run(tasks, { transferList, signal: stop.signal });
      return replies.map(unpackReply);
    } catch (thrown) {
      // The thread is gone, whatever it was; its successor loads while the next document waits.
      this.#ready = this.#start();
      if (this.#closing.signal.aborted) throw processorClosed();
      if (isLeft()) throw cancelled();
      return stop.signal.aborted
        ? HeadwaterError.from(stop.signal.reason)
        : workerGone(thrown, workerMemoryMb);
    } finally {
      for (const left of signals) left.removeEventListener("abort", leave);
      clearTimeout(timer);
      clearInterval(watch);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#pool.destroy();
  }

  #start(): Promise<unknown> {
    const started = this.#pool.run([]);
    // Whoever awaits it is told; without anybody it must not end the process.
    started.catch(() => undefined);
    return started;
  }

  /** Heap and buffers of the thread. */
  async #memoryMb(): Promise<number> {
    try {
      const statistics = await this.#pool.threads[0]?.getHeapStatistics();
      return ((statistics?.used_heap_size ?? 0) + (statistics?.external_memory ?? 0)) / mebibyte;
    } catch {
      // The thread ended while it was asked; what was to be found out is then known otherwise.
      return 0;
    }
  }

  #currentStage(): Stage {
    return stages[Atomics.load(this.#stage, 0)] ?? "parse";
  }
}

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

function workerGone(thrown: unknown, memoryLimitMb: number): HeadwaterError {
  if (thrown instanceof Error && "code" in thrown && thrown.code === "ERR_WORKER_OUT_OF_MEMORY") {
    return documentMemory(memoryLimitMb);
  }
  return new HeadwaterError({
    code: status.INTERNAL,
    reason: crashReason,
    message: "The parser crashed on the document.",
    action: "Open an issue with the document, if it can be shared.",
    cause: thrown,
  });
}
