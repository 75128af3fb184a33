import { retry } from "@headwater/resilience";
import type { Command } from "commander";
import { Argument } from "commander";
import { untilStopped } from "../connection.ts";
import { wholeNumber } from "../number-option.ts";
import type { Output } from "../terminal/output.ts";
import { createOutput } from "../terminal/output.ts";

/** Those that keep something; each makes what is its own. */
const services = ["ingest", "generation"] as const;
type Service = (typeof services)[number];

interface PrepareOptions {
  readonly indexes: boolean;
  readonly wait: number;
  readonly json?: boolean;
}

interface Preparation {
  readonly indexes: boolean;
  readonly output: Output;
  readonly signal: AbortSignal;
  onError(thrown: unknown): void;
}

export function addPrepareCommand(program: Command): void {
  program
    .command("prepare")
    .description(
      "make the topics, bucket, schemas and indexes that are not there yet, and check every server",
    )
    .addArgument(
      new Argument("[services...]", "those that shall have what they need; both if none is named").choices(
        services,
      ),
    )
    .option("--no-indexes", "leave the indexes to the first start of ingest: no embedding-worker has to run")
    .option(
      "--wait <seconds>",
      "try again for so long while a server cannot be reached",
      wholeNumber(0, 86_400),
      0,
    )
    .option("--json", "print JSON, one service a line")
    .addHelpText(
      "after",
      `
Reads the settings of the services from the environment (docs/settings.md) and speaks with the servers itself. The
indexes are made for a model, so the embedding-worker at HEADWATER_EMBEDDING_ADDRESS is asked for it; no other part of
Headwater has to run, and the embedded stores must not be in use. To repeat it is harmless. Afterwards the services need
no rights to make anything: docs/operations.md.`,
    )
    .action((named: Service[], options: PrepareOptions) =>
      untilStopped((signal) => prepare(named.length > 0 ? named : services, options, signal)),
    );
}

async function prepare(
  named: readonly Service[],
  { indexes, wait, json }: PrepareOptions,
  signal: AbortSignal,
): Promise<void> {
  const output = createOutput(json === true);
  const giveUpAt = performance.now() + wait * 1000;
  const preparation: Preparation = {
    ...{ indexes, output, signal },
    onError: (thrown) => output.note(`tried again: ${String(thrown)}`),
  };
  for (const service of services.filter((known) => named.includes(known)))
    await retry(() => preparations[service](preparation), {
      signal,
      retries: (error) => error.transient && performance.now() < giveUpAt,
      onRetry: (error) => output.note(`${service} waits: ${error.message} [${error.reason}]`),
    });
}

// Loaded when they are called for: the services bring parsers and model clients, which other commands start without.
const preparations: Readonly<Record<Service, (preparation: Preparation) => Promise<void>>> = {
  async ingest({ output, ...options }) {
    const { prepareIngest } = await import("@headwater/ingest");
    const { readIngestConfig } = await import("@headwater/ingest/config");
    const prepared = await prepareIngest(readIngestConfig(), options);
    if (output.json) return output.value({ service: "ingest", indexes: prepared ?? null });
    output.line(`ingest: topics, bucket${prepared ? ", schema and indexes" : " and schema"} are there.`);
    if (prepared && !prepared.current)
      output.note(
        "The indexes were made with another model or chunking: `headwater reindex` makes them anew.",
      );
  },
  async generation({ output, onError }) {
    const { prepareGeneration } = await import("@headwater/generation");
    const { readRecordsConfig } = await import("@headwater/generation/config");
    await prepareGeneration(readRecordsConfig(), onError);
    if (output.json) output.value({ service: "generation" });
    else output.line("generation: the schemas of its records and of its jobs are there.");
  },
};
