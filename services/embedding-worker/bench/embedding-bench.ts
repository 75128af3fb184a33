import type { EmbedRequest } from "@headwater/proto/services/headwater/v1/embedding";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import { createRpcClient } from "@headwater/rpc";
import { silentTelemetry } from "@headwater/telemetry";
import { median } from "@headwater/testing/median";
import type { EmbeddingWorkerConfig } from "../config.ts";
import type { EncoderFolder } from "../model/encoder-folder.ts";
import { readEncoderFolder } from "../model/encoder-folder.ts";
import { TextTokenizer } from "../model/tokenizer.ts";
import { startEmbeddingWorker } from "../server.ts";
import type { RawLayout } from "./raw-loop.ts";
import { RawLoop } from "./raw-loop.ts";

export interface EmbeddingBenchOptions {
  /** The service is started with it, on a port of its own; `dataDir` may be a temporary folder. */
  readonly config: EmbeddingWorkerConfig;
  /** A few hundred at least, or start and end weigh too much. */
  readonly texts: readonly string[];
  /** How often all texts are gone through. Default 5. */
  readonly rounds?: number;
  /** Texts of one EmbedRequest. Default 64. */
  readonly textsPerRequest?: number;
  readonly onProgress?: (line: string) => void;
}

export interface Rate {
  readonly textsPerSecond: number;
  readonly tokensPerSecond: number;
}

/** A way of running the raw loop. */
export interface RawSetting extends RawLayout {
  /** Texts in a batch. */
  readonly batch: number;
}

export interface EmbeddingBenchResult {
  readonly texts: number;
  readonly tokens: number;
  /** Tokens a second of each way of running the raw loop that was tried, on a part of the texts. */
  readonly sweep: readonly (RawSetting & { readonly tokensPerSecond: number })[];
  /** The fastest of them, which the stream is measured against. */
  readonly raw: RawSetting & Rate;
  readonly stream: Rate;
  /** Stream to raw within each round; the machine's other work weighs on both alike. */
  readonly ratios: readonly number[];
  /** Median of `ratios`. */
  readonly ratio: number;
  /** Processor seconds of the raw loop to those of the stream, gRPC client included; median of the rounds. */
  readonly processorRatio: number;
}

const batchSizes = [1, 2, 4, 8, 16];

/** Of the texts, for the sweep, and how often each way is tried. */
const sweepTexts = 32;
const sweepRounds = 2;

/** Raw loop and stream take turns after so many texts, a second or two of work: the machine's other work changes. */
const sliceTexts = 100;

/** How long some work took, in seconds. */
export interface Time {
  readonly clock: number;
  /** Of all threads together, which the machine's other work does not touch. */
  readonly processor: number;
}

/**
 * The gRPC Embed stream, cache off, against the best raw ONNX Runtime loop on the same texts, cores and tokenizer, in
 * one run.
 */
export async function benchEmbedding(options: EmbeddingBenchOptions): Promise<EmbeddingBenchResult> {
  const { config, texts, rounds = 5, textsPerRequest = 64, onProgress = () => {} } = options;
  const encoder = await readEncoderFolder(config.modelDir);
  const tokenizer = TextTokenizer.load(encoder.tokenizerFile, encoder.maxTokens);
  const tokens = await countTokens(tokenizer, texts);
  const cores = config.sessions * config.threadsPerSession;
  const sweep = await sweepRawLoop(encoder, tokenizer, cores, texts, onProgress);
  const best = sweep.reduce((best, next) => (next.tokensPerSecond > best.tokensPerSecond ? next : best));

  const service = await startEmbeddingWorker(
    { ...config, listen: "127.0.0.1:0" },
    silentTelemetry("embedding-worker"),
  );
  const client = createRpcClient(EmbeddingServiceDefinition, service.address);
  const loop = await RawLoop.start(encoder, tokenizer, best);
  const runRaw = (slice: readonly string[]) => loop.run(slice, best.batch);
  const runStream = async (slice: readonly string[]) => {
    for await (const _ of client.call.embed(requestsOf(slice, textsPerRequest)));
  };
  try {
    const times: { readonly raw: Time; readonly stream: Time }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      let [raw, stream]: [Time, Time] = [noTime, noTime];
      for (let at = 0; at < texts.length; at += sliceTexts) {
        const slice = texts.slice(at, at + sliceTexts);
        // Whoever goes first finds other caches and another clock speed, so they swap.
        const rawFirst = (at / sliceTexts + round) % 2 === 0;
        if (rawFirst) raw = sum(raw, await timed(() => runRaw(slice)));
        stream = sum(stream, await timed(() => runStream(slice)));
        if (!rawFirst) raw = sum(raw, await timed(() => runRaw(slice)));
      }
      times.push({ raw, stream });
      onProgress(
        `round ${round + 1}: raw ${Math.round(tokens / raw.clock)}, stream ${Math.round(tokens / stream.clock)} ` +
          `tokens/s, ratio ${(raw.clock / stream.clock).toFixed(3)} by the clock, ` +
          `${(raw.processor / stream.processor).toFixed(3)} by processor time`,
      );
    }
    const rateOf = (side: "raw" | "stream"): Rate => {
      const seconds = median(times.map((time) => time[side].clock));
      return { textsPerSecond: texts.length / seconds, tokensPerSecond: tokens / seconds };
    };
    const ratios = times.map(({ raw, stream }) => raw.clock / stream.clock);
    return {
      texts: texts.length,
      tokens,
      sweep,
      raw: { ...best, ...rateOf("raw") },
      stream: rateOf("stream"),
      ratios,
      ratio: median(ratios),
      processorRatio: median(times.map(({ raw, stream }) => raw.processor / stream.processor)),
    };
  } finally {
    client.close();
    await Promise.all([loop.close(), service.close(1000)]);
  }
}

/** One session on all cores and a session a core, with batches of several sizes; the better of two rounds each. */
async function sweepRawLoop(
  encoder: EncoderFolder,
  tokenizer: TextTokenizer,
  cores: number,
  texts: readonly string[],
  onProgress: (line: string) => void,
): Promise<(RawSetting & { tokensPerSecond: number })[]> {
  const sample = texts.filter((_, index) => index % Math.ceil(texts.length / sweepTexts) === 0);
  const tokens = await countTokens(tokenizer, sample);
  const layouts: RawLayout[] = [{ sessions: cores, threadsPerSession: 1 }];
  if (cores > 1) layouts.push({ sessions: 1, threadsPerSession: cores });
  const loops = await Promise.all(
    layouts.map(async (layout) => ({ layout, loop: await RawLoop.start(encoder, tokenizer, layout) })),
  );
  const rates = new Map<string, RawSetting & { tokensPerSecond: number }>();
  for (let round = 0; round < sweepRounds; round += 1) {
    for (const batch of batchSizes) {
      for (const { layout, loop } of loops) {
        const name = `${layout.sessions} x ${layout.threadsPerSession} threads, batches of ${batch}`;
        const { clock } = await timed(() => loop.run(sample, batch));
        const tokensPerSecond = Math.max(tokens / clock, rates.get(name)?.tokensPerSecond ?? 0);
        rates.set(name, { ...layout, batch, tokensPerSecond });
      }
    }
  }
  for (const { loop } of loops) await loop.close();
  for (const [name, { tokensPerSecond }] of rates)
    onProgress(`raw ONNX Runtime, ${name}: ${Math.round(tokensPerSecond)} tokens/s`);
  return [...rates.values()];
}

async function countTokens(tokenizer: TextTokenizer, texts: readonly string[]): Promise<number> {
  return (await tokenizer.encode(texts)).reduce((sum, { ids }) => sum + ids.length, 0);
}

const noTime: Time = { clock: 0, processor: 0 };

function sum(a: Time, b: Time): Time {
  return { clock: a.clock + b.clock, processor: a.processor + b.processor };
}

/** How long some work took, on the clock and on the processors. */
export async function timed(work: () => Promise<void>): Promise<Time> {
  const started = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { clock: (performance.now() - started) / 1000, processor: (user + system) / 1e6 };
}

async function* requestsOf(texts: readonly string[], size: number): AsyncGenerator<Partial<EmbedRequest>> {
  for (let at = 0; at < texts.length; at += size)
    yield { sequence: at / size, texts: texts.slice(at, at + size), skipCache: true };
}
