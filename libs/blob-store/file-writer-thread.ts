import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parentPort } from "node:worker_threads";

export interface FileToWrite {
  /** A new file on the same file system, gone when the write has ended, well or not. */
  readonly temporary: string;
  readonly folder: string;
  readonly name: string;
  readonly content: Uint8Array;
}

/** What is told of an error of the system: an error itself loses its fields on its way between threads. */
export interface WriteFailure {
  readonly message: string;
  readonly code: string | undefined;
}

const port = parentPort;
if (!port) throw new Error("file-writer-thread.ts runs in a worker thread only");

port.on("message", (files: readonly FileToWrite[]) => {
  const failures = files.map((file) => failureOf(() => place(file)));
  const folders = new Set(files.filter((_, index) => !failures[index]).map(({ folder }) => folder));
  const unsynced = new Map([...folders].map((folder) => [folder, failureOf(() => syncFolder(folder))]));
  port.postMessage(files.map(({ folder }, index) => failures[index] ?? unsynced.get(folder)));
});

/** The bytes are durable before the name is there: no name ever has half a file. */
function place({ temporary, folder, name, content }: FileToWrite): void {
  try {
    const file = openSync(temporary, "wx");
    try {
      writeFileSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, join(folder, name));
  } catch (thrown) {
    rmSync(temporary, { force: true });
    throw thrown;
  }
}

/** Makes new names in a folder durable. */
function syncFolder(path: string): void {
  // Windows has no such thing: it keeps names in its journal.
  if (process.platform === "win32") return;
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function failureOf(work: () => void): WriteFailure | undefined {
  try {
    work();
    return undefined;
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : undefined;
    return { message: thrown instanceof Error ? thrown.message : String(thrown), code };
  }
}
