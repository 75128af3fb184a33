import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ServiceName } from "./stack.ts";

/** Lines of its log that are kept, so that a failure can be understood. */
const keptLines = 400;

/** A process of its own that says on which address it listens: a service, as a cluster runs it. */
export class ServiceProcess {
  /** host:port that it listens on. */
  readonly address: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #said: string[];

  private constructor(child: ChildProcess, ended: Promise<unknown>, address: string, said: string[]) {
    this.#child = child;
    this.#ended = ended;
    this.#said = said;
    this.address = address;
  }

  /**
   * Resolves once it listens.
   *
   * @param what a service, or any script that logs as the services do
   * @param environment on top of this process's own
   * @throws Error with its newest words, where it ends before
   */
  static async start(
    what: ServiceName | URL,
    environment: Readonly<Record<string, string>>,
    commandLine: readonly string[] = [],
  ): Promise<ServiceProcess> {
    const main = what instanceof URL ? what : new URL("./main.ts", import.meta.resolve(`@headwater/${what}`));
    const child = spawn(process.execPath, [fileURLToPath(main), ...commandLine], {
      env: {
        ...process.env,
        HEADWATER_METRICS_ADDRESS: "127.0.0.1:0",
        ...environment,
        // At a higher one it would not say that it listens.
        HEADWATER_LOG_LEVEL: "info",
      },
      stdio: ["ignore", "ignore", "pipe"],
    });
    // Not "exit": by then its last words may still be in the pipe.
    const ended = once(child, "close");
    const said: string[] = [];
    const listening = Promise.withResolvers<string>();
    // Read to its end, so that the child never waits for a full pipe.
    createInterface({ input: child.stderr }).on("line", (line) => {
      said.push(line);
      if (said.length > keptLines) said.shift();
      const { msg, address } = parse(line);
      if (msg === "listening" && address !== undefined) listening.resolve(address);
    });
    ended.then(
      () => listening.reject(new Error(`${main.pathname} did not start:\n${said.join("\n")}`)),
      listening.reject,
    );
    return new ServiceProcess(child, ended, await listening.promise, said);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** The newest lines of its log. */
  get lastWords(): readonly string[] {
    return this.#said;
  }

  /** False once it has ended, for whatever reason. */
  get runs(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Asks it to stop, and waits for its end. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#ended;
  }

  /** Nothing of it runs on: no handler, no flush. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** It neither works nor answers, and its connections stay open, until `thaw`. */
  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }
}

function parse(line: string): { msg?: string; address?: string } {
  try {
    return JSON.parse(line) as { msg?: string; address?: string };
  } catch {
    // Not from the log: a warning of Node's, say.
    return {};
  }
}
