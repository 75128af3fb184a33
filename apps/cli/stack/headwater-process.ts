import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));

/** `headwater up` in a process of its own. */
export interface HeadwaterProcess {
  readonly pid: number;
  /** host:port of a service, or of "metrics". */
  address(name: string): string;
  /** Base URL of the gateway. */
  readonly url: string;
  /** Sends a signal and waits for the end; gives the exit code, null where the signal itself ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Services listen on ports that the system chooses, and keep their data in a folder that nobody else has. */
export function ownEnvironment(dataFolder: string): Record<string, string> {
  const anyPort = "127.0.0.1:0";
  return {
    HEADWATER_DATA_DIR: dataFolder,
    HEADWATER_INGEST_LISTEN: anyPort,
    HEADWATER_EMBEDDING_LISTEN: anyPort,
    HEADWATER_SEARCH_LISTEN: anyPort,
    HEADWATER_GENERATION_LISTEN: anyPort,
    HEADWATER_GATEWAY_LISTEN: anyPort,
  };
}

export async function startHeadwater(
  dataFolder: string,
  environment: Record<string, string> = {},
): Promise<HeadwaterProcess> {
  const child = spawn(process.execPath, [main, "up", "--json"], {
    env: {
      ...process.env,
      ...ownEnvironment(dataFolder),
      HEADWATER_METRICS_ADDRESS: "127.0.0.1:0",
      HEADWATER_LOG_LEVEL: "error",
      ...environment,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit") as Promise<[number | null]>;
  const greeting = new Promise<string>((resolve, reject) => {
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
      if (text.includes("\n")) resolve(text);
    });
    ended.then(() => reject(new Error("headwater up ended before it was up")), reject);
  });
  const addresses = JSON.parse(await greeting) as Record<string, string>;
  const address = (name: string) => {
    const found = addresses[name];
    if (found === undefined) throw new RangeError(`no address of ${name}`);
    return found;
  };
  return {
    pid: child.pid ?? -1,
    address,
    url: `http://${address("gateway")}`,
    async stop(signal = "SIGINT") {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const [code] = await ended;
      return code;
    },
  };
}
