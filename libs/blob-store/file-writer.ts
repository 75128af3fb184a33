import { Worker } from "node:worker_threads";
import type { FileToWrite, WriteFailure } from "./file-writer-thread.ts";

/** What it takes in one message: bounds the memory that a copy of the bytes needs. */
const batch = { files: 64, bytes: 4 * 1024 * 1024 };

interface Waiting {
  readonly file: FileToWrite;
  resolve(): void;
  reject(reason: unknown): void;
}

/**
 * Writes small files durably in a thread of its own. Eight calls of the system make a file durable: as promises each
 * is a task for libuv's threads and a turn of the event loop, which costs more than the calls. Here they cost one
 * message for all the files that came while the thread was busy.
 */
export class FileWriter {
  readonly #waiting: Waiting[] = [];
  #inHand: readonly Waiting[] = [];
  #thread: Worker | undefined;

  /** Durable when it resolves. @throws the system's error, with its `code` */
  write(file: FileToWrite): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ file, resolve, reject });
      // After all that is written in this turn of the event loop.
      queueMicrotask(() => this.#send());
    });
  }

  /** To be called when nothing is being written. */
  async close(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.terminate();
  }

  #send(): void {
    if (this.#inHand.length > 0 || this.#waiting.length === 0) return;
    let bytes = 0;
    const count = this.#waiting.findIndex(({ file }, index) => {
      bytes += file.content.byteLength;
      return index === batch.files || (index > 0 && bytes > batch.bytes);
    });
    this.#inHand = this.#waiting.splice(0, count < 0 ? this.#waiting.length : count);
    this.#thread ??= this.#start();
    this.#thread.ref();
    // Copies: a view would take with it all of the buffer that it is a part of.
    const files = this.#inHand.map(({ file }) => ({ ...file, content: new Uint8Array(file.content) }));
    this.#thread.postMessage(
      files,
      files.map(({ content }) => content.buffer),
    );
  }

  #start(): Worker {
    const thread = new Worker(new URL("./file-writer-thread.ts", import.meta.url));
    thread.on("message", (failures: (WriteFailure | undefined)[]) => {
      this.#settle((_, index) => {
        const failure = failures[index];
        return failure && Object.assign(new Error(failure.message), failure);
      });
      // Between two writes it does not keep the process alive.
      if (this.#inHand.length === 0) thread.unref();
    });
    thread.on("error", (error) => this.#lose(thread, error));
    thread.on("exit", () => this.#lose(thread, new Error("The thread that writes files has ended.")));
    return thread;
  }

  /** The next write starts another. */
  #lose(thread: Worker, error: Error): void {
    if (this.#thread !== thread) return;
    this.#thread = undefined;
    this.#settle(() => error);
  }

  #settle(errorOf: (waiting: Waiting, index: number) => Error | undefined): void {
    const settled = this.#inHand;
    this.#inHand = [];
    for (const [index, waiting] of settled.entries()) {
      const error = errorOf(waiting, index);
      if (error) waiting.reject(error);
      else waiting.resolve();
    }
    this.#send();
  }
}
