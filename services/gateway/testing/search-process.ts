import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

const main = join(import.meta.dirname, "search-process-main.ts");

/** A search service in a process of its own, for a test that kills it. */
export class SearchProcess {
  readonly address: string;
  readonly #child: ChildProcess;

  private constructor(address: string, child: ChildProcess) {
    this.address = address;
    this.#child = child;
  }

  /** @param address host:port; resolves once it listens */
  static async start(address: string): Promise<SearchProcess> {
    const child = spawn(process.execPath, [main, address], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    return new SearchProcess(line, child);
  }

  get port(): string {
    return this.address.slice(this.address.lastIndexOf(":") + 1);
  }

  /** Resolves when the process is gone. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, "exit");
    this.#child.kill(signal);
    await gone;
  }
}
