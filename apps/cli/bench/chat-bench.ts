import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import { createRpcClient } from "@headwater/rpc";
import { percentile } from "@headwater/testing/percentile";
import { startHeadwater } from "../stack/headwater-process.ts";
import { ServiceProcess } from "../stack/service-process.ts";
import type { CallTarget, CallTiming } from "./chat-caller.ts";
import { callOnce } from "./chat-caller.ts";
import type { MemorySample } from "./memory-curve.ts";
import { growthOf, quartersOf } from "./memory-curve.ts";
import { processorSeconds, residentBytes } from "./process-usage.ts";
import { startServicesApart } from "./services-apart.ts";
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

/** Of many values in milliseconds. */
export interface Spread {
  readonly p50: number;
  readonly p95: number;
}

/** By who spends it: the five services, the bench's callers, and its model service. */
type Processors = Readonly<Record<"services" | "callers" | "model", number>>;

export interface ChatBenchOptions {
  /** Callers at once. */
  readonly streams: number;
  /**
   * Milliseconds between two tokens of a stream: 1,000 streams at 400 ms are 2,500 tokens a second. Where the machine
   * bears no more, what is measured is the queue for a processor.
   */
  readonly paceMs: number;
  /** True: each service in a process of its own, as in a cluster; false: `headwater up`. */
  readonly apart: boolean;
  readonly onProgress: (line: string) => void;
}

export interface ChatBenchResult extends Omit<ChatBenchOptions, "onProgress"> {
  /** Answers through Headwater that began when all streams were open: all times are of these. */
  readonly answers: number;
  readonly tokens: number;
  /** To the first token: from the model alone, … */
  readonly direct: Spread;
  /** … through gateway and generation, search included, … */
  readonly through: Spread;
  /** … of search, … */
  readonly search: Spread;
  /** … and of Headwater without search. */
  readonly own: Spread;
  /** Through Headwater, without search, against the model alone. */
  readonly ratio: number;
  /** Milliseconds of processor time that the five services took for one answer, search and citations included. */
  readonly processorMs: number;
  /** Processors that were busy while all streams were open. */
  readonly busy: Processors;
  /** Resident megabytes of the services in each quarter of that time. */
  readonly quarters: readonly number[];
  /** Of the last quarter against the second. */
  readonly growth: number;
}

/**
 * Many streamed answers at once: first from a model service directly, then through gateway and generation of
 * Headwater, with the same number of callers. They come one by one over the length of an answer, as people do.
 */
export async function benchChat({
  streams,
  paceMs,
  apart,
  onProgress,
}: ChatBenchOptions): Promise<ChatBenchResult> {
  await using resources = new AsyncDisposableStack();
  const dataFolder = await mkdtemp(join(tmpdir(), "headwater-bench-"));
  resources.defer(() => rm(dataFolder, { recursive: true, force: true }));
  const model = await ServiceProcess.start(new URL("./chat-model.ts", import.meta.url), {}, [
    ...[tokens, firstTokenMs, paceMs].map(String),
  ]);
  resources.defer(() => model.stop());
  const baseUrl = `http://${model.address}/v1`;
  const services = await start(apart, dataFolder, {
    HEADWATER_OPENAI_BASE_URL: baseUrl,
    HEADWATER_OPENAI_MODEL: "bench",
    HEADWATER_GENERATION_MODEL: "bench",
    HEADWATER_GENERATION_MAX_ANSWERS: String(streams),
    HEADWATER_GATEWAY_MAX_ACTIVE: String(2 * streams),
  });
  resources.defer(async () => {
    await services.stop();
  });
  const texts = await benchTexts(documents, undefined);
  await ingest(services.ingest, texts);

  const direct = directTarget(baseUrl);
  const through = throughTarget(services.gateway, texts);
  onProgress("the first answers, which load and fill what stays loaded and filled …");
  const short = { ...through, body: () => ({ ...through.body(), max_output_tokens: 2 }) };
  for (let times = 0; times < 2 * questions; times += 1) await callOnce(short);

  const answerMs = firstTokenMs + tokens * paceMs;
  const seconds = Math.round(answerMs / 1000);
  onProgress(`${streams} streams from the model directly, ${2 * seconds} s …`);
  const alone = await callAll(direct, answerMs, streams, 1);
  onProgress(
    `${streams} streams through Headwater, ${answersEach} by each caller, ${(answersEach + 1) * seconds} s …`,
  );
  const spent = (): Processors => ({
    services: processorSeconds(services.pids),
    callers: processorSeconds([process.pid]),
    model: processorSeconds([model.pid]),
  });
  const before = spent();
  const watching = watch(answerMs, services.pids, spent, onProgress);
  const all = await callAll(through, answerMs, streams, answersEach);
  const after = spent();
  const { curve, busy } = await watching;

  const steady = all.filter(({ turn }) => turn > 0);
  const directSpread = spreadOf(alone.map(({ firstTokenMs }) => firstTokenMs));
  const withoutSearch = spreadOf(steady.map(({ firstTokenMs, searchMs }) => firstTokenMs - searchMs));
  return {
    ...{ streams, paceMs, apart },
    answers: steady.length,
    tokens: steady.reduce((sum, timing) => sum + timing.tokens, 0),
    direct: directSpread,
    through: spreadOf(steady.map(({ firstTokenMs }) => firstTokenMs)),
    search: spreadOf(steady.map(({ searchMs }) => searchMs)),
    own: { p50: withoutSearch.p50 - directSpread.p50, p95: withoutSearch.p95 - directSpread.p50 },
    ratio: withoutSearch.p50 / directSpread.p50,
    processorMs: ((after.services - before.services) * 1000) / all.length,
    busy,
    quarters: quartersOf(curve),
    growth: growthOf(curve),
  };
}

/** Where the services listen, and what they run in. */
interface Services {
  readonly pids: readonly number[];
  /** host:port */
  readonly ingest: string;
  /** Base URL. */
  readonly gateway: string;
  stop(): Promise<unknown>;
}

async function start(
  apart: boolean,
  dataFolder: string,
  environment: Readonly<Record<string, string>>,
): Promise<Services> {
  if (!apart) {
    const { pid, url, address, stop } = await startHeadwater(dataFolder, environment);
    return { pids: [pid], ingest: address("ingest"), gateway: url, stop: () => stop() };
  }
  const services = await startServicesApart(environment, () => dataFolder);
  return {
    pids: services.pids,
    ingest: services.get("ingest").address,
    gateway: `http://${services.get("gateway").address}`,
    stop: () => services.stop(),
  };
}

function spreadOf(values: readonly number[]): Spread {
  return { p50: percentile(values, 0.5), p95: percentile(values, 0.95) };
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

/** Which of its caller's answers it is, from 0. From 1 on, all streams are open when it begins. */
interface Turn extends CallTiming {
  readonly turn: number;
}

/** Callers come over the length of one answer, so that from then on all of them are under way at any time. */
async function callAll(
  target: CallTarget,
  answerMs: number,
  callers: number,
  times: number,
): Promise<Turn[]> {
  const timings: Turn[] = [];
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      await delay((answerMs * caller) / callers);
      for (let turn = 0; turn < times; turn += 1) timings.push({ ...(await callOnce(target)), turn });
    }),
  );
  return timings;
}

/** What memory and processors do while all streams are open: from the last caller's coming to the first one's going. */
async function watch(
  answerMs: number,
  pids: readonly number[],
  spent: () => Processors,
  onProgress: (line: string) => void,
): Promise<{ curve: MemorySample[]; busy: Processors }> {
  await delay(answerMs);
  const started = performance.now();
  const before = spent();
  const curve: MemorySample[] = [];
  const elapsed = () => (performance.now() - started) / 1000;
  while (elapsed() < ((answersEach - 1) * answerMs) / 1000) {
    const sample = { seconds: Math.round(elapsed()), megabytes: Math.round(residentBytes(pids) / 1e6) };
    curve.push(sample);
    if (curve.length % 10 === 0) onProgress(`${sample.seconds} s: ${sample.megabytes} MB`);
    await delay(sampleEveryMs);
  }
  const after = spent();
  const busy = (who: keyof Processors) => (after[who] - before[who]) / elapsed();
  return { curve, busy: { services: busy("services"), callers: busy("callers"), model: busy("model") } };
}

async function ingest(address: string, texts: readonly string[]): Promise<void> {
  const client = createRpcClient(IngestServiceDefinition, address);
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
