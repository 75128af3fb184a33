import { Worker } from "node:worker_threads";
import { HeadwaterError, status } from "@headwater/errors";
import type { SandboxSettings } from "../tool-settings.ts";
import type { Program, ProgramResult, Stop, ThreadMessage } from "./program.ts";

/** A program that its own clock does not stop is ended with its thread so many milliseconds later. */
const graceMs = 2000;
/** Mebibytes of heap of the thread, beside the interpreter's memory, which is none of the heap. */
const threadHeapMb = 64;

/** Runs programs, each in a thread of its own that ends with it. */
export class Sandbox {
  readonly #settings: SandboxSettings;
  readonly #threads = new Set<Worker>();

  constructor(settings: SandboxSettings) {
    this.#settings = settings;
  }

  /**
   * @throws HeadwaterError RESOURCE_EXHAUSTED, HW_SANDBOX_BUSY; INTERNAL, HW_SANDBOX_FAILED
   * @throws AbortError when the signal fires; the program has ended by then
   */
  async run(code: string, signal: AbortSignal): Promise<ProgramResult> {
    signal.throwIfAborted();
    const { maxActive, memoryMb, timeoutMs, maxOutputLength } = this.#settings;
    if (this.#threads.size >= maxActive) throw sandboxBusy(maxActive);
    const program: Program = { code, memoryMb, timeoutMs, maxOutputLength };
    const thread = new Worker(new URL("./sandbox-thread.ts", import.meta.url), {
      workerData: program,
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: threadHeapMb },
    });
    this.#threads.add(thread);
    try {
      return await resultOf(thread, timeoutMs + graceMs, signal);
    } finally {
      await thread.terminate();
      this.#threads.delete(thread);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#threads].map((thread) => thread.terminate()));
  }
}

function resultOf(thread: Worker, killAfterMs: number, signal: AbortSignal): Promise<ProgramResult> {
  const { promise, resolve, reject } = Promise.withResolvers<ProgramResult>();
  let clock: NodeJS.Timeout | undefined;
  const leave = () => reject(signal.reason);
  signal.addEventListener("abort", leave, { once: true });
  thread.on("message", (message: ThreadMessage) => {
    if (message !== "started") return resolve(message);
    clock = setTimeout(() => resolve({ output: "", value: "", stop: "timeout", thrown: "" }), killAfterMs);
  });
  thread.once("error", (cause) => {
    const stop = stopOf(cause);
    if (stop === undefined) reject(sandboxFailed(cause));
    else resolve({ output: "", value: "", stop, thrown: "" });
  });
  thread.once("exit", () => reject(sandboxFailed(undefined)));
  return promise.finally(() => {
    clearTimeout(clock);
    signal.removeEventListener("abort", leave);
  });
}

/** What a program can do to its thread: fill it, or bring the interpreter itself to a trap of WebAssembly. */
function stopOf(thrown: unknown): Stop | undefined {
  if (!(thrown instanceof Error)) return undefined;
  if ("code" in thrown && thrown.code === "ERR_WORKER_OUT_OF_MEMORY") return "memory";
  return thrown.name === "RuntimeError" ? "crash" : undefined;
}

function sandboxBusy(maxActive: number): HeadwaterError {
  return new HeadwaterError({
    code: status.RESOURCE_EXHAUSTED,
    reason: "HW_SANDBOX_BUSY",
    message: `${maxActive} programs are running already.`,
    action: "Try again in a moment.",
    retryAfterMs: 1000,
  });
}

function sandboxFailed(cause: unknown): HeadwaterError {
  return new HeadwaterError({
    code: status.INTERNAL,
    reason: "HW_SANDBOX_FAILED",
    message: "The program's thread ended before the program did.",
    cause,
  });
}
