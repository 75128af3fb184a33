import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Rate } from "@headwater/embedding-worker/bench";
import { benchEmbedding } from "@headwater/embedding-worker/bench";
import { readEmbeddingWorkerConfig } from "@headwater/embedding-worker/config";
import { invalidArgument } from "@headwater/errors";
import { benchSearch } from "@headwater/search/bench";
import type { Environment } from "@headwater/settings";
import { ownEnvironment } from "../stack/headwater-process.ts";
import { startStack } from "../stack/stack.ts";
import type { Output } from "../terminal/output.ts";
import { bold, dim, table } from "../terminal/output.ts";
import type { ChatBenchResult, Spread } from "./chat-bench.ts";
import { benchChat } from "./chat-bench.ts";
import type { IngestBenchResult } from "./ingest-bench.ts";
import { benchIngest } from "./ingest-bench.ts";
import { benchKafka } from "./kafka-bench.ts";
import { benchMemory } from "./memory-bench.ts";
import { benchPeers } from "./peers-bench.ts";
import type { BenchOptions, BenchSuite } from "./suites.ts";
import { benchSuites } from "./suites.ts";
import { benchTexts } from "./texts.ts";
import type { ProcessorMs } from "./units-bench.ts";
import { benchUnits } from "./units-bench.ts";

type Report = (line: string) => void;

const fewTexts = 600;
/** An ingest takes a second or two to be on its way and to end, which must not be most of a round. */
const manyTexts = 3600;
/** Three or four pages, which ingest cuts into some ten passages that overlap. */
const textsOfLong = 10;

/** Runs suites one after the other: side by side they would measure each other. */
export async function bench(suites: readonly string[], options: BenchOptions, output: Output): Promise<void> {
  const wanted = suites.length > 0 ? suites : ["embedding", "ingest", "search"];
  for (const suite of wanted) {
    if (!isSuite(suite)) {
      throw invalidArgument(
        "HW_BENCH_UNKNOWN",
        `There is no suite ${suite}.`,
        `There are ${benchSuites.join(", ")}.`,
      );
    }
  }
  for (const suite of wanted.filter(isSuite)) {
    if (!output.json) output.line(bold(suite));
    const report: Report = (line) => output.note(dim(`  ${line}`));
    const { result, rows } = await runners[suite](options, report);
    if (output.json) output.value({ suite, ...result });
    else output.line(`${table(rows.map(([name, ...values]) => [`  ${name}`, ...values]))}\n`);
  }
}

function isSuite(name: string): name is BenchSuite {
  return benchSuites.some((suite) => suite === name);
}

interface Outcome {
  readonly result: object;
  /** A name and a value, or one value for each of several runs. */
  readonly rows: readonly (readonly [string, ...string[]])[];
}

const runners: Readonly<Record<BenchSuite, (options: BenchOptions, report: Report) => Promise<Outcome>>> = {
  async embedding({ texts = fewTexts, rounds, collection }, onProgress) {
    return withDataFolder(async (environment) => {
      const config = readEmbeddingWorkerConfig(environment);
      const result = await benchEmbedding({
        config,
        texts: await benchTexts(texts, collection),
        rounds,
        onProgress,
      });
      return {
        result,
        rows: [
          ["best raw ONNX Runtime loop", embeddingRate(result.raw)],
          ["gRPC Embed stream", embeddingRate(result.stream)],
          ["stream against raw, by the clock", ratio(result.ratio)],
          ["stream against raw, by processor time", ratio(result.processorRatio)],
        ],
      };
    });
  },
  async ingest({ texts = manyTexts, rounds, collection }, report) {
    const short = await benchTexts(texts, collection);
    const fewest = textsOfLong * (rounds + 1);
    if (short.length < fewest) {
      throw invalidArgument(
        "HW_BENCH_TEXTS_TOO_FEW",
        `There are ${short.length} texts of a passage's length for ${rounds} rounds.`,
        `Give --texts ${fewest} or more, a collection that has as many, or fewer --rounds.`,
      );
    }
    const long = Array.from({ length: Math.floor(short.length / textsOfLong) }, (_, index) =>
      short.slice(index * textsOfLong, (index + 1) * textsOfLong).join("\n\n"),
    );
    const run = (documents: readonly string[]) =>
      withDataFolder((environment) => benchIngest(documents, rounds, environment, report));
    report("documents of one passage");
    const ofShort = await run(short);
    report(`documents of ${textsOfLong} such texts`);
    const ofLong = await run(long);
    return {
      result: { short: ofShort, long: ofLong },
      rows: [...ingestRows("one passage", ofShort), ...ingestRows("some ten passages", ofLong)],
    };
  },
  async search({ passages }, onProgress) {
    return withDataFolder(async (environment) => {
      // The model reranks for real; all else is measured with vectors that cost nothing to make.
      const worker = await startStack(["embedding-worker"], environment, "error");
      try {
        const embeddingAddress = worker.address("embedding-worker");
        const result = await benchSearch({ passages, embeddingAddress, onProgress });
        return {
          result,
          rows: [
            ["engine alone, by words", milliseconds(result.lexicalMs)],
            ["engine alone, by vector", milliseconds(result.vectorMs)],
            ["slower of the two calls that a search makes at once", milliseconds(result.slowerOwnMs)],
            ["whole gRPC search, query cached, no rerank", milliseconds(result.searchMs)],
            ["search against the slower of its two calls", ratio(result.ratio)],
            ["search against the slower engine alone", ratio(result.ratioToAlone)],
            ["with rerank: first hits after", milliseconds(result.firstHitsMs)],
            ["with rerank: all after", milliseconds(result.rerankedMs)],
          ],
        };
      } finally {
        await worker.close(1000);
      }
    });
  },
  async kafka({ texts = fewTexts, rounds, collection }, report) {
    const result = await benchKafka(await benchTexts(texts, collection), rounds, process.env, report);
    const { real, fast, fleets } = result;
    return {
      result,
      rows: [
        ...real.flatMap(({ threads, ...one }): [string, string][] => [
          [`the real model on cores: ${threads}`, ""],
          ["  embed only", rate(one.embedOnlyPerSecond, "documents")],
          ["  from Kafka to both indexes", rate(one.pipelinePerSecond, "documents")],
          ["  that against embed only, by the clock", ratio(one.ratio)],
          ["  and by processor time of ingest and worker", ratio(one.processorRatio)],
        ]),
        ["bare consumer of the same records", rate(fast.barePerSecond, "documents")],
        ["from Kafka to both indexes, a model that costs nothing", rate(fast.pipelinePerSecond, "documents")],
        ["that against the bare consumer", ratio(fast.ratio)],
        ["processor time of ingest for a document", milliseconds(fast.ingestProcessorMs)],
        ...fleets.map(
          ({ model, ingests, workers, perSecond }) =>
            [
              `${ingests} x ingest, ${workers} x worker, ${model === "real" ? "the real model" : `${model} ms a passage`}`,
              rate(perSecond, "documents"),
            ] as const,
        ),
      ],
    };
  },
  async peers({ texts = fewTexts, rounds, collection }, report) {
    const result = await benchPeers(await benchTexts(texts, collection), rounds, report);
    return {
      result,
      rows: [
        ["Headwater's Embed stream", rate(result.oursPerSecond, "texts")],
        ...result.peers.map(
          ({ name, batch, textsPerSecond, timesSlower }) =>
            [
              `${name}, batches of ${batch}`,
              `${rate(textsPerSecond, "texts")}, Headwater is ${timesSlower.toFixed(1)} times as fast`,
            ] as const,
        ),
      ],
    };
  },
  async chat({ streams, pace, apart = false }, onProgress) {
    const paces: ChatBenchResult[] = [];
    for (const paceMs of pace) paces.push(await benchChat({ streams, paceMs, apart, onProgress }));
    const row = (name: string, cell: (result: ChatBenchResult) => string) =>
      [name, ...paces.map(cell)] as const;
    const spread = ({ p50, p95 }: Spread) => `${milliseconds(p50)} / ${milliseconds(p95)}`;
    return {
      result: { paces },
      rows: [
        row("the five services", (each) => (each.apart ? "five processes" : "one process")),
        row("streams open at once", ({ streams }) => String(streams)),
        row("a token of each every", ({ paceMs }) => milliseconds(paceMs)),
        row("answers, tokens", ({ answers, tokens }) => `${answers}, ${tokens}`),
        row("first token p50 / p95, the model directly", ({ direct }) => spread(direct)),
        row("first token p50 / p95, through Headwater", ({ through }) => spread(through)),
        row("of that, search", ({ search }) => spread(search)),
        row("of that, Headwater without search", ({ own }) => spread(own)),
        row("through Headwater without search, against directly", (each) => ratio(each.ratio)),
        row("processor time of all services for an answer", (each) => milliseconds(each.processorMs)),
        row("processors busy: services, callers, model", ({ busy }) =>
          [busy.services, busy.callers, busy.model].map((share) => share.toFixed(2)).join(", "),
        ),
        row("memory of the services by quarter, MB", ({ quarters }) => quarters.map(Math.round).join(", ")),
        row("last quarter's memory against the second's", ({ growth }) => ratio(growth)),
      ],
    };
  },
  async units({ texts = fewTexts, collection }, report) {
    const result = await benchUnits(await benchTexts(texts, collection), process.env, report);
    const { perPassage, perSearch, perPlainSearch, perAnswer, resident } = result;
    return {
      result,
      rows: [
        ["passages, tokens of each", `${result.passages}, ${result.tokens.toFixed(0)}`],
        ["processor time of a passage", parts(perPassage)],
        ["processor time of a search with rerank", parts(perSearch)],
        ["processor time of a search without", parts(perPlainSearch)],
        ["processor time of an extractive answer", parts(perAnswer)],
        ["bytes of a passage in Elasticsearch", result.elasticsearchBytes.toFixed(0)],
        ["bytes of a document in the catalog", result.catalogBytes.toFixed(0)],
        [
          "resident memory",
          Object.entries(resident)
            .map(([who, bytes]) => `${who} ${(bytes / 2 ** 20).toFixed(0)} MiB`)
            .join(", "),
        ],
      ],
    };
  },
  async memory({ documents }, report) {
    const result = await benchMemory(documents, report);
    return {
      result,
      rows: [
        ["documents", rate(result.documents / result.seconds, "documents")],
        ["last quarter's memory against the second's", ratio(result.growth)],
      ],
    };
  },
};

/** Settings of services that run for a bench alone, on a data folder that is removed at the end. */
async function withDataFolder<T>(work: (environment: Environment) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "headwater-bench-"));
  try {
    return await work({ ...process.env, ...ownEnvironment(folder) });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function ingestRows(document: string, result: IngestBenchResult): [string, string][] {
  return [
    [`documents of ${document}: embed only`, rate(result.embedOnlyPerSecond, "passages")],
    ["  Push to both indexes", rate(result.endToEndPerSecond, "passages")],
    ["  end to end against embed only, by the clock", ratio(result.ratio)],
    ["  end to end against embed only, by processor time", ratio(result.processorRatio)],
    ["  the same again", rate(result.againPerSecond, "documents")],
    ["  again against first time", `${result.againTimesFaster.toFixed(0)} times faster`],
  ];
}

function embeddingRate({ textsPerSecond, tokensPerSecond }: Rate): string {
  return `${rate(textsPerSecond, "texts")}, ${rate(tokensPerSecond, "tokens")}`;
}

function parts(cost: ProcessorMs): string {
  return Object.entries(cost)
    .map(([who, ms]) => `${who} ${milliseconds(ms)}`)
    .join(", ");
}

function milliseconds(value: number): string {
  return `${value.toFixed(value < 100 ? 1 : 0)} ms`;
}

function rate(value: number, what: string): string {
  return `${value >= 100 ? Math.round(value) : value.toFixed(1)} ${what}/s`;
}

function ratio(value: number): string {
  return value.toFixed(3);
}
