import { join } from "node:path";
import type { EmbeddingWorkerConfig } from "./config.ts";
import type { ThreadPool } from "./inference/thread-pool.ts";
import type { EncoderFolder } from "./model/encoder-folder.ts";
import type { Tuning } from "./scheduling/tuning.ts";
import { measure, readTuning, tune, tuningKey, writeTuning } from "./scheduling/tuning.ts";

export interface WarmUpOptions {
  readonly engine: ThreadPool;
  readonly encoder: EncoderFolder;
  /** Ids of a text as long as the encoder can read. */
  readonly sample: Int32Array;
  /** The same for the cross-encoder, where there is one. */
  readonly pairSample: Int32Array | undefined;
  readonly config: EmbeddingWorkerConfig;
}

/**
 * Runs the longest text once in each thread, so that the first request does not pay for memory and code being set
 * up, and finds the batch budget: from the settings, from an earlier start on this machine, or by measuring.
 */
export async function warmUp({
  engine,
  encoder,
  sample,
  pairSample,
  config,
}: WarmUpOptions): Promise<Tuning> {
  await engine.runInEach<"encode">({
    kind: "encode",
    inputs: [{ ids: sample, vector: true, tokens: false }],
  });
  if (pairSample) {
    const typeIds = new Int32Array(pairSample.length);
    await engine.runInEach<"pairs">({ kind: "pairs", inputs: [{ ids: pairSample, typeIds }] });
  }
  const { sessions, threadsPerSession, batchTexts } = config;
  const options = { engine, sessions, threadsPerSession, sample, batchTexts };
  if (config.batchTokens !== undefined)
    return { batchTokens: config.batchTokens, tokensPerSecond: await measure(options, config.batchTokens) };
  const file = join(config.dataDir, "cache", "embedding-tuning.json");
  const key = tuningKey(encoder.fingerprint, sessions, threadsPerSession);
  const known = await readTuning(file, key);
  if (known) return known;
  const tuning = await tune(options);
  await writeTuning(file, key, tuning);
  return tuning;
}
