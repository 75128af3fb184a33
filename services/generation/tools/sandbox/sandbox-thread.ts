import { parentPort, workerData } from "node:worker_threads";
import { newQuickJSWASMModuleFromVariant } from "quickjs-emscripten-core";
import type { Program, ThreadMessage } from "./program.ts";
import { runProgram } from "./run-program.ts";

// The thread lives for one program: nothing of it is left for the next.
const quickJs = await newQuickJSWASMModuleFromVariant(import("@jitl/quickjs-wasmfile-release-sync"));
say("started");
say(runProgram(quickJs, workerData as Program));

function say(message: ThreadMessage): void {
  parentPort?.postMessage(message);
}
