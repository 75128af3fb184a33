import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startEmbeddingWorker } from "@headwater/embedding-worker";
import { readEmbeddingWorkerConfig } from "@headwater/embedding-worker/config";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import { createRpcClient } from "@headwater/rpc";
import { silentTelemetry } from "@headwater/telemetry";
import { median } from "@headwater/testing/median";

const peers = ["transformers.js", "fastembed"] as const;
const sources = join(import.meta.dirname, "peers");

export interface PeerResult {
  readonly name: string;
  /** Texts of a batch. */
  readonly batch: number;
  /** Median of the rounds. */
  readonly textsPerSecond: number;
  /** Our texts a second against theirs. */
  readonly timesSlower: number;
}

export interface PeersBenchResult {
  readonly texts: number;
  readonly oursPerSecond: number;
  readonly peers: readonly PeerResult[];
}

/**
 * Other libraries on the same model, texts and cores, in turns with our Embed stream. They are installed into a
 * temporary folder, which needs the npm registry. Each gets the texts in two batch sizes, and its better one counts.
 */
export async function benchPeers(
  texts: readonly string[],
  rounds: number,
  onProgress: (line: string) => void,
): Promise<PeersBenchResult> {
  const folder = await mkdtemp(join(tmpdir(), "headwater-peers-"));
  const config = readEmbeddingWorkerConfig({ ...process.env, HEADWATER_DATA_DIR: join(folder, "data") });
  const service = await startEmbeddingWorker(
    { ...config, listen: "127.0.0.1:0" },
    silentTelemetry("embedding-worker"),
  );
  const client = createRpcClient(EmbeddingServiceDefinition, service.address);
  const ours = async () => {
    const started = performance.now();
    const requests = async function* () {
      for (let at = 0; at < texts.length; at += 64) {
        yield { sequence: at, texts: texts.slice(at, at + 64), skipCache: true };
      }
    };
    for await (const _ of client.call.embed(requests()));
    return (performance.now() - started) / 1000;
  };
  try {
    onProgress("installing transformers.js and fastembed into a temporary folder …");
    await install(folder);
    const textsFile = join(folder, "texts.json");
    await writeFile(textsFile, JSON.stringify(texts));
    const oursSeconds: number[] = [await ours()];
    const results: PeerResult[] = [];
    for (const name of peers) {
      let best: PeerResult | undefined;
      for (const batch of [8, 32]) {
        const theirs: number[] = [];
        const beside: number[] = [];
        for (let round = 0; round < rounds; round += 1) {
          theirs.push(await runPeer(folder, name, config.modelDir, textsFile, batch));
          beside.push(await ours());
        }
        oursSeconds.push(...beside);
        const result = {
          name,
          batch,
          textsPerSecond: texts.length / median(theirs),
          timesSlower: median(theirs.map((seconds, round) => seconds / (beside[round] ?? Number.NaN))),
        };
        onProgress(`${name}, batches of ${batch}: ${result.textsPerSecond.toFixed(1)} texts/s`);
        if (!best || result.timesSlower < best.timesSlower) best = result;
      }
      if (best) results.push(best);
    }
    return { texts: texts.length, oursPerSecond: texts.length / median(oursSeconds), peers: results };
  } finally {
    client.close();
    await service.close(1000);
    await rm(folder, { recursive: true, force: true });
  }
}

async function install(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const file of ["package.json", "embed.mjs"]) await copyFile(join(sources, file), join(folder, file));
  await promisify(execFile)(
    "npm",
    ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
    {
      cwd: folder,
    },
  );
}

/** @returns seconds for all texts, without loading */
async function runPeer(
  folder: string,
  name: string,
  model: string,
  texts: string,
  batch: number,
): Promise<number> {
  const commandLine = ["embed.mjs", name, model, texts, String(batch)];
  const { stdout } = await promisify(execFile)(process.execPath, commandLine, { cwd: folder });
  return (JSON.parse(stdout) as { seconds: number }).seconds;
}
