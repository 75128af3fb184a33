import type { QuickJSContext, QuickJSHandle, QuickJSWASMModule } from "quickjs-emscripten-core";
import type { Program, ProgramResult, Stop } from "./program.ts";

const mebibyte = 1024 * 1024;
/** Deep recursion then throws inside, well before the stack of WebAssembly itself ends. */
const maxStackBytes = 256 * 1024;
/** Evaluated before the program, so that what the program replaces misleads only what it prints itself. */
const formatter = `(value) => {
  if (typeof value === "string") return value;
  if (value instanceof Error) return value.stack ? value + "\\n" + value.stack : String(value);
  if (typeof value === "function" || typeof value === "symbol") return String(value);
  try {
    return JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? String(inner) : inner)) ?? String(value);
  } catch {
    return String(value);
  }
}`;

/**
 * Runs a program in an interpreter of its own, which has the language and console.log and nothing else: no module, no
 * timer, no network, no file. Frees nothing: the thread that calls it ends afterwards.
 */
export function runProgram(quickJs: QuickJSWASMModule, program: Program): ProgramResult {
  const context = quickJs.newContext();
  const { runtime } = context;
  runtime.setMemoryLimit(program.memoryMb * mebibyte);
  runtime.setMaxStackSize(maxStackBytes);
  const format = formatValues(context);
  let left = program.maxOutputLength;
  let stop: Stop | undefined;
  let output = "";
  const print = (text: string) => {
    if (text.length > left) stop ??= "output";
    output += text.slice(0, left);
    left -= Math.min(left, text.length);
  };
  const deadline = performance.now() + program.timeoutMs;
  runtime.setInterruptHandler(() => {
    if (performance.now() > deadline) stop ??= "timeout";
    return stop !== undefined;
  });
  addConsole(context, (values) => {
    if (stop === undefined) print(`${values.map(format).join(" ")}\n`);
    return stop === undefined;
  });

  const completion = complete(context, program.code);
  const outcome = describe(context, completion, format);
  if (stop !== undefined) return { output, value: "", stop, thrown: "" };
  if (outcome.kind === "value") {
    if (outcome.text.length > left) stop = "output";
    return { output, value: outcome.text.slice(0, left), stop, thrown: "" };
  }
  const isMemory = outcome.text === "" || outcome.text.startsWith("InternalError: out of memory");
  return {
    output,
    value: "",
    stop: isMemory ? "memory" : "threw",
    thrown: outcome.text.slice(0, program.maxOutputLength),
  };
}

type Format = (value: QuickJSHandle) => string;
type Completion = { readonly value: QuickJSHandle } | { readonly error: QuickJSHandle | undefined };

function formatValues(context: QuickJSContext): Format {
  const format = context.unwrapResult(context.evalCode(formatter, "format.js"));
  return (value) => {
    const text = context.callFunction(format, context.undefined, value);
    // A value whose toString throws, or that the memory is too small for.
    return text.error ? "(cannot be shown)" : context.getString(text.value);
  };
}

/** @param log false: nothing more can be printed; the call throws, which is sooner than the next look at the clock */
function addConsole(context: QuickJSContext, log: (values: readonly QuickJSHandle[]) => boolean): void {
  const console = context.newObject();
  for (const name of ["log", "info", "warn", "error", "debug"]) {
    const method = context.newFunction(name, (...values) =>
      log(values) ? context.undefined : { error: context.newError("nothing more can be printed") },
    );
    context.setProp(console, name, method);
  }
  context.setProp(context.global, "console", console);
}

/** Evaluates the program, and where its value is a promise, all that was put off until that is settled. */
function complete(context: QuickJSContext, code: string): Completion {
  const result = context.evalCode(code, "program.js", { type: "global" });
  if (result.error) return { error: result.error };
  const jobs = context.runtime.executePendingJobs();
  if (jobs.error) return { error: jobs.error };
  const state = context.getPromiseState(result.value);
  if (state.type === "fulfilled") return { value: state.value };
  if (state.type === "rejected") return { error: state.error };
  return { value: context.newString("(a promise that nothing can settle)") };
}

function describe(
  context: QuickJSContext,
  completion: Completion,
  format: Format,
): { readonly kind: "value" | "error"; readonly text: string } {
  if ("value" in completion) {
    const nothing = context.typeof(completion.value) === "undefined";
    return { kind: "value", text: nothing ? "" : format(completion.value) };
  }
  // Where memory has run out there may be none left for the error.
  return { kind: "error", text: completion.error ? format(completion.error) : "" };
}
