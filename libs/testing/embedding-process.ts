import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { temporaryFolder } from "./temporary-folder.ts";

/** The real embedding-worker as a process of its own, since no service imports another. */
export interface EmbeddingProcess {
  /** host:port of its gRPC server. */
  readonly address: string;
  close(): Promise<void>;
}

/** @param dataFolder for its caches; a temporary one where none is given */
export async function startEmbeddingProcess(dataFolder?: string): Promise<EmbeddingProcess> {
  const main = join(import.meta.dirname, "../../services/embedding-worker/main.ts");
  const worker = spawn(process.execPath, [main], {
    env: {
      ...process.env,
      HEADWATER_EMBEDDING_LISTEN: "127.0.0.1:0",
      HEADWATER_METRICS_ADDRESS: "127.0.0.1:0",
      HEADWATER_DATA_DIR: dataFolder ?? (await temporaryFolder()),
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const close = async () => {
    if (worker.exitCode !== null || worker.signalCode !== null) return;
    const gone = once(worker, "exit");
    worker.kill("SIGKILL");
    await gone;
  };
  for await (const line of createInterface({ input: worker.stderr })) {
    const { msg, address } = JSON.parse(line) as { msg?: string; address?: string };
    if (msg === "listening" && address) {
      worker.stderr.resume();
      return { address, close };
    }
  }
  throw new Error("the embedding-worker ended before it listened");
}
