import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { dirname } from "node:path";
import { z } from "zod";
import type { Engine } from "../inference/thread-pool.ts";
import { pickBatch } from "./batch.ts";
import { sampleWork } from "./sample.ts";

/** What was measured on a machine. */
export interface Tuning {
  /** Padded tokens in one batch. */
  readonly batchTokens: number;
  /** All sessions together, at that budget. */
  readonly tokensPerSecond: number;
}

export interface TuningOptions {
  readonly engine: Engine;
  /** Copies of the model that run at the same time. */
  readonly sessions: number;
  readonly threadsPerSession: number;
  /** Ids of a text as long as the model can read. */
  readonly sample: Int32Array;
  readonly batchTexts: number;
}

/** 256 is at least one passage; beyond 4,096 no CPU gained anything. */
const budgets = [256, 512, 1024, 2048, 4096];

/**
 * Lengths as passages have them, from a line to a full chunk. Short ones gain from company, long ones lose by it.
 * Together about 2,000 tokens: a quarter of a second on two cores with the bundled model.
 */
const sampleLengths = [12, 16, 24, 32, 32, 48, 64, 96, 128, 160, 192, 224, 240, 256, 256, 256];

/** Less of a gain is noise, and with a smaller batch a query waits for less time. */
const worthIt = 1.05;

/** No further budget is tried after so long. */
const patienceMs = 2000;

/**
 * Finds the padded tokens of a batch at which this model on this machine is fastest, from the smallest budget up, and
 * stops where more gains nothing. Measured on two cores (AVX-512) with the bundled model: texts of 200 tokens do best
 * alone, texts of 16 gain a third in batches of 8.
 */
export async function tune(options: TuningOptions): Promise<Tuning> {
  const started = performance.now();
  let best: Tuning | undefined;
  let worse = 0;
  for (const batchTokens of budgets) {
    const tokensPerSecond = await measure(options, batchTokens);
    if (!best || tokensPerSecond > best.tokensPerSecond * worthIt) {
      best = { batchTokens, tokensPerSecond };
      worse = 0;
    } else {
      worse += 1;
    }
    // One that is no better may be chance, two in a row are not.
    if (worse === 2 || performance.now() - started > patienceMs) break;
  }
  return best ?? { batchTokens: budgets[0] ?? 256, tokensPerSecond: 1 };
}

/**
 * Tokens a second with a budget, all sessions together.
 *
 * Sessions of one thread are measured by the processor time of their threads, which other work on the machine hardly
 * changes; by the clock, a busy neighbour once made 4,096 look better than 256, at a third of the throughput.
 */
export async function measure(options: TuningOptions, batchTokens: number): Promise<number> {
  const { engine, sessions, threadsPerSession, sample, batchTexts } = options;
  let left = sampleLengths.map((length) => ({ work: sampleWork(sample.subarray(0, length)) }));
  const tokens = left.reduce((sum, { work }) => sum + work.input.ids.length, 0);
  let busyMs = 0;
  // As many lines of work as the scheduler keeps: for each session a batch that runs and one that waits.
  const line = async () => {
    while (left.length > 0) {
      const batch = pickBatch(left, { tokens: batchTokens, texts: batchTexts });
      left = left.filter((item) => !batch.includes(item));
      const inputs = batch.map(({ work }) => work.input);
      const { milliseconds, cpuMilliseconds } = await engine.run<"encode">({ kind: "encode", inputs }, false);
      busyMs += threadsPerSession === 1 ? cpuMilliseconds : milliseconds;
    }
  };
  await Promise.all(Array.from({ length: sessions * 2 }, line));
  return (tokens / busyMs) * 1000 * sessions;
}

const tuningFile = z.object({ key: z.string(), batchTokens: z.number(), tokensPerSecond: z.number() });

/** Of what a measurement holds for: another model, machine or share of it has to be measured anew. */
export function tuningKey(fingerprint: string, sessions: number, threadsPerSession: number): string {
  const processors = cpus();
  return `${fingerprint} ${processors[0]?.model ?? "?"} x${processors.length} ${sessions}x${threadsPerSession}`;
}

/** Undefined where none is kept for this key, or what is kept cannot be read. */
export async function readTuning(file: string, key: string): Promise<Tuning | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const parsed = tuningFile.safeParse(parseJson(text));
  return parsed.success && parsed.data.key === key ? parsed.data : undefined;
}

export async function writeTuning(file: string, key: string, tuning: Tuning): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, `${JSON.stringify({ key, ...tuning })}\n`);
  await rename(`${file}.new`, file);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
