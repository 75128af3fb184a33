import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const repository = new URL("../../", import.meta.url);
/** Lines of its log that are kept, so that a failure can be understood. */
const keptLines = 400;

/** A process of its own that says on which address it listens: a service, as a cluster runs it. */
export class ServiceProcess {
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
   * @param main from the repository's folder
   * @param environment on top of this process's own
   * @throws Error with all that it said, where it ends before
   */
  static async start(main: string, environment: Record<string, string>): Promise<ServiceProcess> {
    const child = spawn(process.execPath, [fileURLToPath(new URL(main, repository))], {
      env: {
        ...process.env,
        HEADWATER_METRICS_ADDRESS: "127.0.0.1:0",
        HEADWATER_LOG_LEVEL: "info",
        ...environment,
      },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const ended = once(child, "exit");
    const said: string[] = [];
    const listening = Promise.withResolvers<string>();
    // Read to its end, so that the child never waits for a full pipe.
    createInterface({ input: child.stderr }).on("line", (line) => {
      said.push(line);
      if (said.length > keptLines) said.shift();
      const { msg, address } = parse(line);
      if (msg === "listening" && address !== undefined) listening.resolve(address);
    });
    void ended.then(() => listening.reject(new Error(`${main} did not start:\n${said.join("\n")}`)));
    return new ServiceProcess(child, ended, await listening.promise, said);
  }

  /** The newest lines of its log. */
  get lastWords(): readonly string[] {
    return this.#said;
  }

  /** False once it has ended, for whatever reason. */
  get runs(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
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
