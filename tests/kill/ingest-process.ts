import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../services/ingest/main.ts", import.meta.url));

/** The ingest service in a process of its own. */
export class IngestProcess {
  readonly address: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(child: ChildProcess, ended: Promise<unknown>, address: string) {
    this.#child = child;
    this.#ended = ended;
    this.address = address;
  }

  /** Resolves once it listens. */
  static async start(dataFolder: string, embeddingAddress: string): Promise<IngestProcess> {
    const child = spawn(process.execPath, [main], {
      env: {
        ...process.env,
        HEADWATER_DATA_DIR: dataFolder,
        HEADWATER_EMBEDDING_ADDRESS: embeddingAddress,
        HEADWATER_INGEST_LISTEN: "127.0.0.1:0",
        HEADWATER_METRICS_ADDRESS: "127.0.0.1:0",
        HEADWATER_LOG_LEVEL: "info",
      },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const ended = once(child, "exit");
    const said: string[] = [];
    for await (const line of createInterface({ input: child.stderr })) {
      said.push(line);
      const { msg, address } = parse(line);
      if (msg !== "listening" || address === undefined) continue;
      // Read on, so that the child never waits for a full pipe.
      child.stderr.resume();
      return new IngestProcess(child, ended, address);
    }
    throw new Error(`ingest did not start:\n${said.join("\n")}`);
  }

  /** Nothing of it runs on: no handler, no flush. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#ended;
  }
}

function parse(line: string): { msg?: string; address?: string } {
  try {
    return JSON.parse(line) as { msg?: string; address?: string };
  } catch {
    return {};
  }
}
