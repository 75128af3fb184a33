import { importPart } from "@headwater/errors";
import type { Command } from "commander";
import { Option } from "commander";
import type { BenchOptions } from "../bench/suites.ts";
import { benchSuites } from "../bench/suites.ts";
import { wholeNumber } from "../number-option.ts";
import { createOutput } from "../terminal/output.ts";

export function addBenchCommand(program: Command): void {
  program
    .command("bench")
    .description("measure speed and memory on this machine, each figure against another in the same run")
    .argument(
      "[suites...]",
      `some of ${benchSuites.join(", ")}; embedding, ingest and search if none is named`,
    )
    .addOption(
      new Option("--collection <folder>", "BEIR collection to take texts from, instead of made ones"),
    )
    .option(
      "--texts <n>",
      "embedding, ingest, kafka, peers, units: texts in all (default: 600, ingest 3600)",
      wholeNumber(50, 100_000),
    )
    .option(
      "--rounds <n>",
      "embedding, ingest, kafka, peers: how often the two sides take turns",
      wholeNumber(1, 50),
      5,
    )
    .option("--passages <n>", "search: passages in the index", wholeNumber(1000, 10_000_000), 50_000)
    .option("--documents <n>", "memory: documents to ingest", wholeNumber(1000, 10_000_000), 100_000)
    .option("--streams <n>", "chat: answers that are streamed at once", wholeNumber(1, 100_000), 1000)
    .option(
      "--pace <ms,…>",
      "chat: milliseconds between two tokens of a stream, a run for each",
      (text: string) => text.split(",").map(wholeNumber(1, 60_000)),
      [400, 800],
    )
    .option("--apart", "chat: each service in a process of its own, as in a cluster")
    .option("--json", "print JSON, one suite a line")
    .addHelpText(
      "after",
      `
embedding  the gRPC Embed stream against the best raw ONNX Runtime loop
ingest     Push to both indexes against the Embed stream alone; the same documents again
search     a whole gRPC search against its two engine calls; time to the first hits
kafka      from Kafka to Elasticsearch and Qdrant against a bare consumer and against the Embed stream alone, and
           several processes against one of each; on the servers that HEADWATER_KAFKA_BROKERS, … name
peers      transformers.js and fastembed on the same model and cores (installs them into a temporary folder)
memory     the memory of \`headwater up\` while it ingests many documents
chat       many streamed answers at once through gateway and generation against the same model service directly
Everything runs in services and folders of its own; a running server is not touched.`,
    )
    .action(async (suites: string[], options: BenchOptions) => {
      const { bench } = await importPart(
        "`headwater bench`",
        () => import("../bench/bench.ts"),
        "Run it from a checkout.",
      );
      await bench(suites, options, createOutput(options.json === true));
    });
}
