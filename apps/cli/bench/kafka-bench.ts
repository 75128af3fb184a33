import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { bareKafka } from "@headwater/document-log/bench";
import type { Time } from "@headwater/embedding-worker/bench";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import { DocumentEvent } from "@headwater/proto/services/headwater/v1/event";
import { createRpcClient } from "@headwater/rpc";
import type { Environment } from "@headwater/settings";
import { median } from "@headwater/testing/median";
import { embedOnly } from "./embed-only.ts";
import type { Fleet, FleetOptions } from "./kafka-fleet.ts";
import { startFleet } from "./kafka-fleet.ts";
import type { BenchServers } from "./kafka-servers.ts";
import { useBenchServers } from "./kafka-servers.ts";
import { processorSeconds } from "./process-usage.ts";
import { untilDone } from "./until-done.ts";

type Report = (line: string) => void;

/** As a model that is computed elsewhere, such as on a GPU, takes for a passage. */
const waitMs = 20;
/** What costs nothing is so fast that it needs more records than there are texts; they are taken again, under new ids. */
const fastTimes = 2;

/** One ingest and one embedding-worker. */
export interface RealModelResult {
  /** Cores that the model may use, the same in both measurements; the others are left to ingest and the servers. */
  readonly threads: number;
  readonly embedOnlyPerSecond: number;
  readonly pipelinePerSecond: number;
  /** Pipeline against embed only, within each round; median. */
  readonly ratio: number;
  /**
   * Likewise by processor seconds: of the worker alone, against worker and ingest. What the servers take is in neither.
   */
  readonly processorRatio: number;
}

export interface FastModelResult {
  /** A bare consumer of the same records. */
  readonly barePerSecond: number;
  readonly pipelinePerSecond: number;
  readonly ratio: number;
  /** Of the processors, for one document in ingest. */
  readonly ingestProcessorMs: number;
}

export interface FleetResult {
  /** "real" or milliseconds that a passage waits. */
  readonly model: "real" | number;
  readonly ingests: number;
  readonly workers: number;
  readonly perSecond: number;
}

export interface KafkaBenchResult {
  /** The model with half of the cores, as a worker has in a cluster, and with all, which the servers need too. */
  readonly real: readonly RealModelResult[];
  readonly fast: FastModelResult;
  readonly fleets: readonly FleetResult[];
}

/** From Kafka to Elasticsearch and Qdrant, with ingest and embedding-worker in processes of their own. */
export async function benchKafka(
  texts: readonly string[],
  rounds: number,
  environment: Environment,
  report: Report,
): Promise<KafkaBenchResult> {
  const cores = availableParallelism();
  const real: RealModelResult[] = [];
  for (const threads of new Set([Math.ceil(cores / 2), cores])) {
    report(`the model on ${threads} of ${cores} cores`);
    const result = await withFleet(environment, { ingests: 1, workers: 1, model: "real", threads }, (bench) =>
      benchReal(bench, texts, rounds, report),
    );
    real.push({ threads, ...result });
  }
  const alone = { ingests: 1, workers: 1, model: 0, threads: undefined };
  const fast = await withFleet(environment, alone, (bench) => benchFast(bench, texts, rounds));
  report(`a model that costs nothing: ${fast.pipelinePerSecond.toFixed(0)} documents/s`);
  const fleets: FleetResult[] = [];
  for (const model of ["real", waitMs] as const) {
    for (const [ingests, workers] of [
      [1, 1],
      [2, 2],
      [3, 2],
    ] as const) {
      // A core for each worker: with more threads than cores they would get in each other's way.
      const shape = { ingests, workers, model, threads: 1 };
      const perSecond = await withFleet(environment, shape, async (bench) => {
        await bench.index(texts.slice(0, texts.length / 4));
        return texts.length / (await bench.index(texts));
      });
      report(`${ingests} ingests, ${workers} workers, model ${model}: ${perSecond.toFixed(1)} documents/s`);
      fleets.push({ model, ingests, workers, perSecond });
    }
  }
  return { real, fast, fleets };
}

interface Bench {
  readonly fleet: Fleet;
  readonly servers: BenchServers;
  /** Records in the topic so far. */
  readonly records: number;
  /** Puts texts into the topic; @returns seconds until all are in both indexes and the offset is committed */
  index(texts: readonly string[]): Promise<number>;
}

async function withFleet<T>(
  environment: Environment,
  shape: Pick<FleetOptions, "ingests" | "workers" | "model" | "threads">,
  work: (bench: Bench) => Promise<T>,
): Promise<T> {
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "headwater-bench-"));
  resources.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  const servers = await useBenchServers(environment);
  resources.defer(() => servers.remove());
  const fleet = await startFleet({ ...shape, environment: servers.environment, folder });
  resources.defer(() => fleet.stop());
  const kafka = bareKafka(servers.brokers);
  let records = 0;
  return await work({
    ...{ fleet, servers },
    get records() {
      return records;
    },
    async index(texts) {
      const from = records;
      const events = texts.map((text) => eventOf(records++, text));
      const started = performance.now();
      await kafka.produce(servers.topic, events);
      await untilDone(
        fleet.client,
        texts.map((_, index) => idOf(from + index)),
      );
      return (performance.now() - started) / 1000;
    },
  });
}

async function benchReal(
  { fleet, index }: Bench,
  texts: readonly string[],
  rounds: number,
  report: Report,
): Promise<Omit<RealModelResult, "threads">> {
  const client = createRpcClient(EmbeddingServiceDefinition, fleet.workerAddress);
  const all = [...fleet.ingestPids, ...fleet.workerPids];
  const size = Math.floor(texts.length / (rounds + 1));
  try {
    // The first share warms both ways and is not counted.
    await embedOnly(client, texts.slice(0, size));
    await index(texts.slice(0, size));
    const times: { embed: Time; pipeline: Time }[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const share = texts.slice(round * size, (round + 1) * size);
      const runEmbed = () => timed(all, () => embedOnly(client, share));
      const runPipeline = () => timed(all, () => index(share));
      // Whoever goes first finds another clock speed, so they swap.
      const first = await (round % 2 === 0 ? runEmbed() : runPipeline());
      const second = await (round % 2 === 0 ? runPipeline() : runEmbed());
      const time = round % 2 === 0 ? { embed: first, pipeline: second } : { embed: second, pipeline: first };
      times.push(time);
      report(
        `round ${round}: embed only ${(size / time.embed.clock).toFixed(1)}, from Kafka ${(size / time.pipeline.clock).toFixed(1)} documents/s`,
      );
    }
    return {
      embedOnlyPerSecond: median(times.map(({ embed }) => size / embed.clock)),
      pipelinePerSecond: median(times.map(({ pipeline }) => size / pipeline.clock)),
      ratio: median(times.map(({ embed, pipeline }) => embed.clock / pipeline.clock)),
      processorRatio: median(times.map(({ embed, pipeline }) => embed.processor / pipeline.processor)),
    };
  } finally {
    client.close();
  }
}

async function benchFast(bench: Bench, texts: readonly string[], rounds: number): Promise<FastModelResult> {
  const { fleet, servers, index } = bench;
  const kafka = bareKafka(servers.brokers);
  const many = Array.from({ length: fastTimes }, () => texts).flat();
  await index(texts);
  const rates: { bare: number; pipeline: number; processorMs: number }[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const before = processorSeconds(fleet.ingestPids);
    const pipeline = many.length / (await index(many));
    const processorMs = ((processorSeconds(fleet.ingestPids) - before) * 1000) / many.length;
    const bare = bench.records / (await kafka.consume(servers.topic, bench.records));
    rates.push({ bare, pipeline, processorMs });
  }
  return {
    barePerSecond: median(rates.map(({ bare }) => bare)),
    pipelinePerSecond: median(rates.map(({ pipeline }) => pipeline)),
    ratio: median(rates.map(({ bare, pipeline }) => pipeline / bare)),
    ingestProcessorMs: median(rates.map(({ processorMs }) => processorMs)),
  };
}

async function timed(pids: readonly number[], work: () => Promise<unknown>): Promise<Time> {
  const started = performance.now();
  const before = processorSeconds(pids);
  await work();
  return { clock: (performance.now() - started) / 1000, processor: processorSeconds(pids) - before };
}

const idOf = (number: number) => `bench/${number}`;

function eventOf(number: number, text: string) {
  const event = DocumentEvent.create({
    ...{ tenant: "default", id: idOf(number), mediaType: "text/plain" },
    content: { $case: "inline", value: new TextEncoder().encode(text) },
  });
  return { key: `default/${idOf(number)}`, value: DocumentEvent.encode(event).finish() };
}
