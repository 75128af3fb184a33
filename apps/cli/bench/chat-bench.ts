import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import { createRpcClient } from "@headwater/rpc";
import { median } from "@headwater/testing/median";
import type { HeadwaterProcess } from "../stack/headwater-process.ts";
import { startHeadwater } from "../stack/headwater-process.ts";
import { ServiceProcess } from "../stack/service-process.ts";
import type { CallTarget, CallTiming } from "./chat-caller.ts";
import { callOnce } from "./chat-caller.ts";
import type { MemorySample } from "./memory-curve.ts";
import { growthOf, processorSeconds, residentMegabytes } from "./memory-curve.ts";
import { benchTexts } from "./texts.ts";

const documents = 64;
/** Asked in turn, as different people do: what search keeps of one helps only with that one. */
const questions = 16;
const tokens = 200;
/** Milliseconds that the model takes for its first token. */
const firstTokenMs = 300;
/** Answers that each caller asks for through Headwater, one after the other: memory is judged at full load. */
const answersEach = 3;
const sampleEveryMs = 2000;

export interface ChatBenchResult {
  /** Callers at once. */
  readonly streams: number;
  /** Milliseconds between two tokens of a stream. */
  readonly paceMs: number;
  /** Answers through Headwater. */
  readonly answers: number;
  readonly tokens: number;
  /** Milliseconds to the first token, median: of the model alone, … */
  readonly directMs: number;
  /** … through gateway and generation, search included, … */
  readonly throughMs: number;
  /** … of search, … */
  readonly searchMs: number;
  /** … and of Headwater without search. */
  readonly ownMs: number;
  /** Through Headwater, without search, against the model alone. */
  readonly ratio: number;
  /** Milliseconds of processor time that the five services took for one answer, search and citations included. */
  readonly processorMs: number;
  readonly curve: readonly MemorySample[];
  readonly growth: number;
}

/**
 * Many streamed answers at once: first from a model service directly, then through gateway and generation of
 * `headwater up`, with the same number of callers. They come one by one over the length of an answer, as people do.
 *
 * @param paceMs between two tokens of a stream: 1,000 streams at 400 ms are 2,500 tokens a second; where the machine
 *   bears no more, what is measured is the queue for a processor
 */
export async function benchChat(
  streams: number,
  paceMs: number,
  onProgress: (line: string) => void,
): Promise<ChatBenchResult> {
  await using resources = new AsyncDisposableStack();
  const dataFolder = await mkdtemp(join(tmpdir(), "headwater-bench-"));
  resources.defer(() => rm(dataFolder, { recursive: true, force: true }));
  const model = await ServiceProcess.start(new URL("./chat-model.ts", import.meta.url), {}, [
    ...[tokens, firstTokenMs, paceMs].map(String),
  ]);
  resources.defer(() => model.stop());
  const baseUrl = `http://${model.address}/v1`;
  const headwater = await startHeadwater(dataFolder, {
    HEADWATER_OPENAI_BASE_URL: baseUrl,
    HEADWATER_OPENAI_MODEL: "bench",
    HEADWATER_GENERATION_MODEL: "bench",
    HEADWATER_GENERATION_MAX_ANSWERS: String(streams),
    HEADWATER_GATEWAY_MAX_ACTIVE: String(2 * streams),
  });
  resources.defer(async () => {
    await headwater.stop();
  });
  const texts = await benchTexts(documents, undefined);
  await ingest(headwater, texts);

  const direct = directTarget(baseUrl);
  const through = throughTarget(headwater.url, texts);
  onProgress("the first answers, which load and fill what stays loaded and filled …");
  const short = { ...through, body: () => ({ ...through.body(), max_output_tokens: 2 }) };
  for (let times = 0; times < 2 * questions; times += 1) await callOnce(short);
  onProgress(`${streams} streams from the model directly …`);
  const alone = await callAll(direct, paceMs, streams, 1);
  onProgress(`${streams} streams through Headwater, ${answersEach} by each caller …`);
  const metrics = headwater.address("metrics");
  const before = await processorSeconds(metrics);
  const watch = watchMemory(metrics, onProgress);
  const own = await callAll(through, paceMs, streams, answersEach).finally(() => watch.stop());
  const processorMs = (((await processorSeconds(metrics)) - before) * 1000) / own.length;

  const directMs = median(alone.map(({ firstTokenMs }) => firstTokenMs));
  const withoutSearchMs = median(own.map(({ firstTokenMs, searchMs }) => firstTokenMs - searchMs));
  const curve = await watch.curve;
  return {
    ...{ streams, paceMs },
    answers: own.length,
    tokens: own.reduce((sum, timing) => sum + timing.tokens, 0),
    directMs,
    throughMs: median(own.map(({ firstTokenMs }) => firstTokenMs)),
    searchMs: median(own.map(({ searchMs }) => searchMs)),
    ownMs: withoutSearchMs - directMs,
    ratio: withoutSearchMs / directMs,
    processorMs,
    curve,
    growth: growthOf(curve),
  };
}

function directTarget(baseUrl: string): CallTarget {
  const messages = [{ role: "user", content: "Where does the river flow?" }];
  return {
    url: `${baseUrl}/chat/completions`,
    body: () => ({ model: "bench", stream: true, messages }),
    textMark: '"content":',
    endMark: "[DONE]",
  };
}

function throughTarget(gateway: string, texts: readonly string[]): CallTarget {
  const asked = texts.slice(0, questions).map((text) => text.split(". ")[1] ?? text);
  let next = 0;
  return {
    url: `${gateway}/v1/answer`,
    body: () => {
      next += 1;
      return { question: asked[next % asked.length], max_passages: 4 };
    },
    textMark: "event: text",
    endMark: "event: end",
  };
}

/** Callers come over the length of one answer, so that from then on all of them are under way at any time. */
async function callAll(
  target: CallTarget,
  paceMs: number,
  callers: number,
  times: number,
): Promise<CallTiming[]> {
  const answerMs = firstTokenMs + tokens * paceMs;
  const timings: CallTiming[] = [];
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      await delay((answerMs * caller) / callers);
      for (let time = 0; time < times; time += 1) timings.push(await callOnce(target));
    }),
  );
  return timings;
}

function watchMemory(metrics: string, onProgress: (line: string) => void) {
  const stopped = new AbortController();
  const started = performance.now();
  const watch = async () => {
    const curve: MemorySample[] = [];
    while (!stopped.signal.aborted) {
      const seconds = Math.round((performance.now() - started) / 1000);
      const sample = { seconds, megabytes: await residentMegabytes(metrics) };
      curve.push(sample);
      if (curve.length % 10 === 0) onProgress(`${sample.seconds} s: ${sample.megabytes} MB`);
      // Ends early where it is told to stop.
      await delay(sampleEveryMs, undefined, { signal: stopped.signal }).catch(() => {});
    }
    return curve;
  };
  return { curve: watch(), stop: () => stopped.abort() };
}

async function ingest(headwater: HeadwaterProcess, texts: readonly string[]): Promise<void> {
  const client = createRpcClient(IngestServiceDefinition, headwater.address("ingest"));
  const encoder = new TextEncoder();
  async function* requests() {
    for (const [index, text] of texts.entries()) {
      const value = { id: `chat/${index}`, mediaType: "text/plain", content: encoder.encode(text) };
      yield { part: { $case: "document" as const, value } };
    }
  }
  try {
    for await (const { error } of client.call.push(requests())) if (error) throw new Error(error.message);
    for (let done = 0; done < texts.length; await delay(200)) {
      const { partitions } = await client.call.getPipeline({});
      done = partitions.reduce((sum, { committedOffset }) => sum + committedOffset, 0);
    }
  } finally {
    client.close();
  }
}
