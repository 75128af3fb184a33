import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(
  new URL("../../libs/passage-index/testing/qdrant-double-main.ts", import.meta.url),
);

/** The Qdrant double as a process of its own, which keeps what it acknowledged over a `kill -9`. */
export class QdrantDoubleProcess {
  readonly url: string;
  readonly #journal: string;
  #child: ChildProcess;

  private constructor(url: string, journal: string, child: ChildProcess) {
    this.url = url;
    this.#journal = journal;
    this.#child = child;
  }

  /** @param journal file for what is written */
  static async start(journal: string): Promise<QdrantDoubleProcess> {
    const { url, child } = await spawnDouble(journal, "0");
    return new QdrantDoubleProcess(url, journal, child);
  }

  /** With all data, on the port that it had. */
  async restart(): Promise<void> {
    this.#child = (await spawnDouble(this.#journal, new URL(this.url).port)).child;
  }

  async kill(): Promise<void> {
    const ended = once(this.#child, "exit");
    if (this.#child.kill("SIGKILL")) await ended;
  }

  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }
}

async function spawnDouble(journal: string, port: string): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(process.execPath, [main, "--port", port, "--data", journal], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const url of createInterface({ input: child.stdout })) {
    child.stdout.resume();
    return { url, child };
  }
  throw new Error("the Qdrant double did not start");
}
