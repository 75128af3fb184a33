import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ServiceName } from "./stack.ts";

/** One service in a process of its own, as it runs in a cluster. */
export interface ServiceProcess {
  readonly pid: number;
  /** host:port that it listens on. */
  readonly address: string;
  /** Asks it to stop, and waits for its end. */
  stop(): Promise<void>;
}

/**
 * Runs a service's `main.ts`, with whatever this process has in its environment; resolves once it listens.
 *
 * @param environment settings of its own
 * @param nodeOptions such as `--cpu-prof`
 * @throws Error with its log where it ends before it listens
 */
export async function startServiceProcess(
  name: ServiceName,
  environment: Readonly<Record<string, string>>,
  nodeOptions: readonly string[] = [],
): Promise<ServiceProcess> {
  const main = fileURLToPath(new URL("./main.ts", import.meta.resolve(`@headwater/${name}`)));
  return startListening([...nodeOptions, main], environment);
}

/** Likewise any script that logs as the services do. */
export async function startListening(
  commandLine: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<ServiceProcess> {
  const child = spawn(process.execPath, commandLine, {
    env: {
      ...process.env,
      HEADWATER_METRICS_ADDRESS: "127.0.0.1:0",
      ...environment,
      HEADWATER_LOG_LEVEL: "info",
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(child, "exit");
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    const address = listeningOn(line);
    if (address === undefined) continue;
    // Read on, so that it never waits for a full pipe.
    child.stderr.resume();
    return {
      pid: child.pid ?? -1,
      address,
      async stop() {
        child.kill("SIGTERM");
        await ended;
      },
    };
  }
  throw new Error(`${commandLine.join(" ")} did not start:\n${said.join("\n")}`);
}

function listeningOn(line: string): string | undefined {
  try {
    const { msg, address } = JSON.parse(line) as { msg?: string; address?: string };
    return msg === "listening" ? address : undefined;
  } catch {
    // Not from the log: a warning of Node's, say.
    return undefined;
  }
}
